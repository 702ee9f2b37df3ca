// What the benchmark uses of node-zookeeper-client as it comes.

declare module 'node-zookeeper-client' {
  type Callback = (error: Error | null) => void;
  interface Client {
    connect(): void;
    close(): void;
    once(event: 'connected', listener: () => void): void;
    getData(path: string, callback: Callback): void;
    setData(path: string, data: Buffer, version: number, callback: Callback): void;
    transaction(): Transaction;
  }
  interface Transaction {
    check(path: string, version: number): Transaction;
    setData(path: string, data: Buffer, version: number): Transaction;
    commit(callback: Callback): void;
  }
  const client: { createClient(servers: string, options: { readonly retries: number }): Client };
  export = client;
}
