// Loaded by host processes before anything else: they speak the next version of the protocol between hosts, as those of
// a newer Millrace do during an upgrade.

import { register } from 'node:module';

register(new URL('./foreign-hook.js', import.meta.url));
