// What we use of node-zookeeper-client, which has no declarations of its own: the records of its codec, and the codes
// of errors. Fields of records are read by name and checked where they are read.

declare module 'node-zookeeper-client/lib/jute/index.js' {
  interface Field {
    readonly name: string;
    /** `int`, `long`, `boolean`, `ustring`, `buffer`, `vector<…>` or `data.…`. */
    readonly type: string;
  }
  interface JuteRecord {
    readonly specification: readonly Field[];
    readonly [field: string]: unknown;
    byteLength(): number;
    serialize(buffer: Buffer, offset: number): number;
    deserialize(buffer: Buffer, offset: number): number;
  }
  type RecordClass = new (...fields: readonly unknown[]) => JuteRecord;
  interface Jute {
    readonly OP_CODES: Readonly<Record<string, number>>;
    readonly protocol: Readonly<Record<string, RecordClass>>;
    readonly data: Readonly<Record<string, RecordClass>>;
    /** Header and payload behind their length. */
    readonly Request: new (
      header: JuteRecord | null,
      payload: Pick<JuteRecord, 'byteLength' | 'serialize'> | null,
    ) => { toBuffer(): Buffer };
  }
  const jute: Jute;
  export = jute;
}

declare module 'node-zookeeper-client/lib/Exception.js' {
  /** Each code by its name, beside what is not a number. */
  const exceptions: Readonly<Record<string, unknown>>;
  export = exceptions;
}
