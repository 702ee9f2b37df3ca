// The store on ZooKeeper passes the suite of the contract, on three real servers; each test has a chroot of its own.

import t from 'tap';
import { runningEnsemble } from '../ensemble/running.js';
import { storesOn } from '../ensemble/stores.js';
import { contractSuite } from './contract.js';

contractSuite('zookeeper', storesOn(await runningEnsemble(t)));
