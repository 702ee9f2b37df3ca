// Bolts that emit tuples which belong to several trees: a join of two spouts, and a batch. What comes of them goes by
// way of a bolt that knows nothing of that, and is held until a command acks or fails it.

import { Bolt, isMillraceError, topology, type BoltContext, type Emit, type Tuple } from 'millrace';
import { Holder } from './holding.js';
import { Fed, Source } from './parts.js';

class Commands extends Fed {
  static readonly outputs = ['verb', 'key'] as const;
}

class Items extends Fed {
  static readonly outputs = ['group', 'size'] as const;
}

abstract class Joining extends Bolt {
  static readonly outputs = ['value'] as const;
  static readonly options = { manualAck: true } as const;
  protected context!: BoltContext;

  override prepare(context: BoltContext): void {
    this.context = context;
  }
}

/** Joins two tuples of the same value, of whichever spouts. */
class Join extends Joining {
  private readonly waiting = new Map<unknown, Tuple>();

  execute(tuple: Tuple, emit: Emit): void {
    const [value] = tuple.values;
    const other = this.waiting.get(value);
    if (other === undefined) {
      this.waiting.set(value, tuple);
      return;
    }
    this.waiting.delete(value);
    emit([`${String(value)}/1`], { anchor: [other, tuple, other] });
    if (value === 'settled') this.emitTooLate(other, tuple, emit);
    else this.context.ack(other);
    this.context.ack(tuple);
  }

  private emitTooLate(other: Tuple, tuple: Tuple, emit: Emit): void {
    this.context.ack(other);
    try {
      emit(['settled/2'], { anchor: [tuple, other] });
    } catch (error) {
      void this.context.print(isMillraceError(error) ? error.code : String(error));
    }
  }
}

/** Makes one tuple of as many as the group has. */
class Gather extends Joining {
  private readonly groups = new Map<unknown, Tuple[]>();

  execute(tuple: Tuple, emit: Emit): void {
    const [group, size] = tuple.values;
    const gathered = [...(this.groups.get(group) ?? []), tuple];
    this.groups.set(group, gathered);
    if (gathered.length < (size as number)) return;
    this.groups.delete(group);
    emit([`${String(group)}/all`], { anchor: gathered });
    for (const each of gathered) this.context.ack(each);
  }
}

class Split extends Bolt {
  static readonly outputs = ['group', 'size'] as const;

  execute(tuple: Tuple, emit: Emit): void {
    const [group] = tuple.values;
    for (let n = 0; n < 4; n++) emit([group, 4]);
  }
}

/** Emits two tuples for each, and is one of the trees' inner nodes. */
class Twice extends Bolt {
  static readonly outputs = ['value'] as const;

  execute(tuple: Tuple, emit: Emit): void {
    const value = String(tuple.values[0]);
    if (value.startsWith('bad')) throw new Error(`${value} is bad`);
    for (const leaf of ['x', 'y']) emit([`${value}/${leaf}`]);
  }
}

export default topology(
  'joining',
  (t) => {
    const left = t.spout('left', Source);
    const right = t.spout('right', Source);
    const items = t.spout('items', Items);
    const whole = t.spout('whole', Source);
    const command = t.spout('command', Commands);
    const join = t.bolt('join', Join, { parallelism: 2 }).fields(left, 'value').fields(right, 'value');
    const split = t.bolt('split', Split).shuffle(whole);
    const gather = t.bolt('gather', Gather, { parallelism: 2 }).fields(items, 'group').fields(split, 'group');
    const twice = t
      .bolt('twice', Twice, { parallelism: 2 })
      .shuffle(join, { locality: false })
      .shuffle(gather, { locality: false });
    t.bolt('holder', Holder, { parallelism: 2 }).shuffle(twice).all(command);
  },
  { messageTimeout: '10s' },
);
