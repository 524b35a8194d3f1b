/**
 * `npm run layers`: imports point one way, values and types alike. No circles in any package; in core only to files that a
 * reader of the list below has already met; between packages only by name and along the list of packages.
 */
import { fileURLToPath } from 'node:url'
import { brokenRules, type Rules } from './import-rules.ts'

const rules: Rules = {
  layers: {
    core: [
      // words
      ['platform', 'reason', 'types', 'thenable', 'errors', 'in-flight', 'options', 'clock', 'scheduler', 'logger', 'telemetry'],
      ['refs', 'names', 'callbacks', 'check-callbacks', 'dispatcher', 'definition'],
      // without I/O
      [
        'hash',
        'queue',
        'batch-queue',
        'buffer',
        'demand',
        'link-map',
        'resubscription',
        'dispatchers/*',
        'supervision/restart-window',
        'supervision/strategy',
        'supervision/child-demand',
      ],
      // speech
      ['protocol', 'ref-base', 'mailbox', 'redelivery', 'links', 'watchers', 'open-batches', 'subscribe-options'],
      // what gives a stage its turns
      ['run-loop', 'telemetry-channels', 'bottleneck', 'topology', 'runtime', 'absent', 'wait', 'supervision/roles'],
      // a stage, as its sides see it, and its sides
      ['host', 'context'],
      ['dispatcher-faults', 'dispatcher-wishes', 'redelivering', 'delivering', 'serving', 'producer-side'],
      ['batches', 'subscription-end', 'resubscribing', 'consumer-side'],
      // the stage itself
      ['stage-plan', 'opening', 'draining', 'extras', 'ending', 'messages', 'turns', 'identity', 'life', 'stage'],
      // edges
      ['when-killed', 'from-iterable', 'from-push', 'reader'],
      ['stage-ref', 'supervision/supervising-definition', 'start'],
      ['supervision/*'],
      ['protocol-entry', 'adapters-entry', 'index'],
    ],
  },
  packages: {
    core: { siblings: [], others: ['eventemitter3'] },
    testing: { siblings: ['core'], others: ['fast-check'] },
    stages: { siblings: ['core'], others: [] },
    streams: { siblings: ['core'], others: ['node:stream'] },
    rxjs: { siblings: ['core'], others: ['rxjs'] },
    jobs: {
      siblings: ['core', 'testing'],
      others: [
        'eventemitter3',
        'uuid',
        'libsql',
        'better-sqlite3',
        'better-sqlite3/package.json',
        'fast-check',
        'piscina',
        'node:async_hooks',
        'node:crypto',
        'node:fs',
        'node:module',
        'node:os',
        'node:path',
        'node:process',
        'node:url',
        'node:worker_threads',
      ],
    },
    workers: { siblings: ['core'], others: ['node:process', 'node:worker_threads'] },
  },
}

const broken = brokenRules(fileURLToPath(new URL('..', import.meta.url)), rules)
for (const sentence of broken) console.error(sentence)
console.log(broken.length === 0 ? 'Imports point one way.' : `${broken.length} imports or files break the rules.`)
process.exitCode = broken.length === 0 ? 0 : 1
