// Every recipe on three real servers; each test has a chroot of its own.

import t from 'tap';
import { runningEnsemble } from '../ensemble/running.js';
import { storesOn } from '../ensemble/stores.js';
import { recipesSuite } from './suite.js';

recipesSuite('zookeeper', storesOn(await runningEnsemble(t)));
