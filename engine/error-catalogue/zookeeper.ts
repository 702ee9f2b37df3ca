// Errors of the store on ZooKeeper beside those that every store has, which are in coordination.ts: what it is given
// cannot be, or ZooKeeper says what no store should.

export const zookeeperErrors = {
  MILLRACE_ZOOKEEPER_CONNECT_STRING: {
    status: 400,
    message: 'the ZooKeeper servers "{servers}" cannot be read at "{part}": {reason}',
    hint: 'write them like "zk1:2181,zk2:2181,[2001:db8::3]:2181/prod"',
  },
  MILLRACE_ZOOKEEPER_OPTION: {
    status: 400,
    message: 'option "{option}" of the ZooKeeper store cannot be {value}: {reason}',
    hint: 'leave it out for the default, or give it a value as the message says',
  },
  MILLRACE_ZOOKEEPER_REFUSED: {
    status: 502,
    message: 'ZooKeeper refused {what} with error {number} ({name})',
    hint: 'nothing was changed; the log of the server that answered says more',
  },
} as const;
