// `zookeeper-changes` and `zookeeper-writer` as JSON topologies name them, with the schemas of their settings. The
// engine knows this module by its name alone (engine/connect/further-types.ts). Apart from index.ts, which stays free
// of the schema library. Any thread.

import { Type } from 'typebox';
import { retriesSchema } from '../../../engine/connect/retries.js';
import {
  CHANGES_NODES,
  CHANGES_NODES_MAX,
  CHANGES_PENDING,
  CHANGES_PENDING_MAX,
  DURATION_MAX_MS,
  WRITER_CONCURRENCY,
  ZOOKEEPER_USERS_MAX,
} from '../../../engine/limits.js';
import { DURATION_PATTERN } from '../../../engine/model/duration.js';
import type { ComponentType } from '../../../engine/model/registry.js';
import { changesOutputs, ZookeeperChanges } from './changes.js';
import { DATA_FORMATS } from './data.js';
import { WRITE_ACTIONS } from './write.js';
import { REFUSED, writerOutputs, ZookeeperWriter } from './writer.js';

const closed = { additionalProperties: false } as const;

const filled = Type.String({ minLength: 1 });

const field = (description: string, fallback?: string) =>
  Type.Optional(Type.String({ minLength: 1, description, ...(fallback === undefined ? {} : { default: fallback }) }));

const choice = (choices: readonly string[], description: string) =>
  Type.Optional(
    Type.Union(
      choices.map((each) => Type.Literal(each)),
      { default: choices[0]!, description },
    ),
  );

const place = {
  servers: Type.String({
    minLength: 1,
    description: 'The servers, and the path that stands for the root: zk1:2181,zk2:2181,zk3:2181/prod.',
  }),
  users: Type.Optional(
    Type.Union([filled, Type.Array(filled, { minItems: 1, maxItems: ZOOKEEPER_USERS_MAX, uniqueItems: true })], {
      description: 'Whom to speak for, as user:password, one or a list.',
    }),
  ),
};

/** Type `zookeeper-changes`. */
export const zookeeperChangesType: ComponentType = {
  type: 'zookeeper-changes',
  kind: 'spout',
  description: 'Emits the nodes at and below a path in ZooKeeper, then each change of them, tracked.',
  schema: Type.Object(
    {
      ...place,
      path: field('The node to follow, with all below it; it need not be there yet.', '/'),
      data: choice(DATA_FORMATS, 'How data comes: as bytes, as UTF-8 text, or parsed as JSON.'),
      nodesMax: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: CHANGES_NODES_MAX,
          default: CHANGES_NODES,
          description: 'Nodes that are followed at most; more end the topology.',
        }),
      ),
      pendingMax: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: CHANGES_PENDING_MAX,
          default: CHANGES_PENDING,
          description: 'Changes that may be out and not done before no more are emitted.',
        }),
      ),
      retries: retriesSchema,
    },
    closed,
  ),
  outputs: changesOutputs,
  create: (config) => new ZookeeperChanges(config),
};

/** Type `zookeeper-writer`. */
export const zookeeperWriterType: ComponentType = {
  type: 'zookeeper-writer',
  kind: 'bolt',
  description: 'Writes a node in ZooKeeper for each tuple, and acks it when the write is acknowledged.',
  schema: Type.Object(
    {
      ...place,
      action: choice(WRITE_ACTIONS, 'What a tuple does: put creates or sets, create and set only that.'),
      actionField: field('A field that says it instead: put, create or delete, or the set and deleted of a change.'),
      pathField: field('The field with the path.', 'path'),
      dataField: field(
        'The field with the data: bytes and text go as they are, null as no data, others as JSON.',
        'data',
      ),
      versionField: field('A field with the version that the node must have, or null for any.'),
      base: Type.Optional(Type.String({ default: '', description: 'Stands in front of every path: /copy.' })),
      parents: Type.Optional(Type.Boolean({ default: true, description: 'Create what is missing above a node.' })),
      refused: choice(
        REFUSED,
        'What is refused for good fails its tuple, or goes to the stream "dead-letter" and counts as done.',
      ),
      timeout: Type.Optional(
        Type.Union(
          [Type.String({ pattern: DURATION_PATTERN }), Type.Integer({ minimum: 1, maximum: DURATION_MAX_MS })],
          { default: '10s', description: 'How long a write may take, with all its tries.' },
        ),
      ),
    },
    closed,
  ),
  outputs: writerOutputs,
  behavior: { concurrency: WRITER_CONCURRENCY },
  create: (config) => new ZookeeperWriter(config),
};

/** What the engine looks for. */
export const types: readonly ComponentType[] = [zookeeperChangesType, zookeeperWriterType];
