/**
 * Sells, packs and reviews orders with ten stages. What will be seen: a bar of progress while it works (in a terminal), then
 * what each shop has sold, and how many events went from which stage to which. See README.md; the stages are in pipeline.ts.
 */
import { bottlenecks, createRuntime } from '@genstage/core'
import type { Logger, Topology } from '@genstage/core'
import { parseOptions, runProgram, stoppedByCtrlC } from '../shared/command-line.ts'
import { grouped } from '../shared/layout.ts'
import { showProgress } from '../shared/progress.ts'
import { ordersOf, shops } from './orders.ts'
import { parcelsByNow, startSelling } from './pipeline.ts'
import { asJson, asText } from './report.ts'

const usage = `Sells, packs and reviews orders: events parted and joined in all ways.

usage: npm run example -- fan-out-fan-in [options]

  --orders N  how many orders each of the three shops has (default 3000)
  --seed N    other orders (default 1)
  --mermaid   print the picture as Mermaid text, alone
  --json      print the result as JSON, alone
  -h, --help  print this

Ctrl-C closes the shops; the orders made until then are finished.
`

/** The standard output is for the result: warnings go to the standard error, the rest nowhere. */
const logger: Logger = { debug() {}, info() {}, warn: console.warn, error: console.error }

await runProgram('fan-out-fan-in', async () => {
  const numbers = { orders: { default: 3_000, from: 0, to: 10_000_000 }, seed: { default: 1, from: 0, to: 2 ** 32 - 1 } }
  const { orders, seed, mermaid, json, help } = parseOptions(process.argv.slice(2), numbers, ['mermaid', 'json', 'help'])
  if (help) return void process.stdout.write(usage)

  const stopping = stoppedByCtrlC().signal
  const runtime = createRuntime({ logger })
  const started = performance.now()
  const selling = await startSelling(runtime, shop => ordersOf(shop, orders, seed))
  stopping.addEventListener('abort', () => selling.close())

  const all = orders * shops.length
  let pictures: readonly Topology[] = []
  const hideProgress = showProgress(process.stderr, () => {
    const picture = runtime.topology()
    pictures = [...pictures.slice(-9), picture]
    const parcels = parcelsByNow(picture)
    const [slowest] = bottlenecks(...pictures)
    const heldUp = slowest ? `, held up by ${slowest.name}` : ''
    return { share: parcels / all, text: `${grouped(parcels)} of ${grouped(all)} orders${heldUp}` }
  })
  try {
    const summary = await selling.summary
    const ms = performance.now() - started
    const results = { summary, topology: runtime.topology(), ms, interrupted: stopping.aborted }
    hideProgress()
    if (mermaid) process.stdout.write(`${results.topology.toMermaid()}\n`)
    else process.stdout.write(json ? `${asJson(results)}\n` : asText(results, process.stdout.columns || 80))
    if (results.interrupted) process.exitCode = 130
  } finally {
    hideProgress()
    await runtime.stop()
  }
})
