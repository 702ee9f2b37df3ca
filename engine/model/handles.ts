// What `t.spout` and `t.bolt` return, whatever their types say: a spout that is subscribed is reported, not a
// TypeError. A handle stands for the default stream of its component, gives the others by name, and takes
// subscriptions, which go to the drafts. Pure, any thread.

import { DEFAULT_STREAM } from './definition.js';
import type { ComponentDraft, Dealt, Drafts, DraftStream } from './drafts.js';
import { isRecord } from './component-source.js';
import { keyPath, nameOf, shown } from './names.js';
import { listed } from './suggest.js';

/** One stream of a component. */
class StreamDraft implements DraftStream {
  readonly componentId: string;
  readonly streamName: string;
  private readonly drafts: Drafts;

  constructor(drafts: Drafts, componentId: string, streamName: string) {
    this.componentId = componentId;
    this.streamName = streamName;
    this.drafts = drafts;
    drafts.register(this);
  }

  /** The same stream, taken by a bolt that stands before its component. */
  feedback(options: unknown = {}): DraftStream {
    const { componentId, streamName, drafts } = this;
    return drafts.register({
      componentId,
      streamName,
      asFeedback: { feedback: true, ...readOverflow(options, componentId, drafts) },
    });
  }
}

export class DraftHandle extends StreamDraft {
  private readonly owner: Drafts;
  private readonly draft: ComponentDraft;

  constructor(drafts: Drafts, draft: ComponentDraft) {
    super(drafts, draft.id, DEFAULT_STREAM);
    this.owner = drafts;
    this.draft = draft;
  }

  stream(name: unknown): DraftStream {
    return new StreamDraft(this.owner, this.componentId, nameOf(name));
  }

  shuffle(source: unknown, options?: unknown): this {
    return this.subscribe(source, { grouping: 'shuffle', options });
  }

  fields(source: unknown, ...fields: readonly unknown[]): this {
    return this.subscribe(source, { grouping: 'fields', fields });
  }

  partialKey(source: unknown, ...fields: readonly unknown[]): this {
    return this.subscribe(source, { grouping: 'partial-key', fields });
  }

  all(source: unknown): this {
    return this.subscribe(source, { grouping: 'all' });
  }

  global(source: unknown): this {
    return this.subscribe(source, { grouping: 'global' });
  }

  none(source: unknown, options?: unknown): this {
    return this.subscribe(source, { grouping: 'none', options });
  }

  direct(source: unknown): this {
    return this.subscribe(source, { grouping: 'direct' });
  }

  localOrShuffle(source: unknown): this {
    return this.subscribe(source, { grouping: 'local-or-shuffle' });
  }

  custom(source: unknown, custom: unknown): this {
    return this.subscribe(source, { grouping: 'custom', custom });
  }

  private subscribe(source: unknown, dealt: Dealt): this {
    this.owner.subscribe(this.draft, source, dealt);
    return this;
  }
}

/** The options of `.feedback()`; a wrong value is kept: validation shows it. */
function readOverflow(options: unknown, component: string, drafts: Drafts): Pick<DraftOverflow, 'overflow'> {
  const known = ['overflow'];
  const path = keyPath('bolts', component);
  const owner = `the feedback of "${component}"`;
  if (!isRecord(options)) {
    const details = { owner, option: shown(options), known: listed(known) };
    drafts.problems.add('MILLRACE_TOPOLOGY_UNKNOWN_OPTION', path, details);
    return {};
  }
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue;
    const details = { owner, option, known: listed(known) };
    drafts.problems.add('MILLRACE_TOPOLOGY_UNKNOWN_OPTION', path, details, { name: option, known });
  }
  const { overflow } = options;
  return overflow === undefined ? {} : ({ overflow } as DraftOverflow);
}

type DraftOverflow = Exclude<DraftStream['asFeedback'], undefined>;
