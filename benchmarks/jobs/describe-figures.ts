import { median } from '../harness/statistics.ts'
import { number } from '../harness/table.ts'
import type { Figures } from './figures.ts'

/** The figures of one process in a few words, for its line of the progress. */
export function describeFigures(figures: Figures): string {
  switch (figures.kind) {
    case 'rate':
      return `${number((figures.jobs * 1_000) / figures.ms)}/s`
    case 'latency':
      return `p50 ${median(figures.samplesMs).toFixed(2)} ms of ${figures.samplesMs.length}`
    case 'backlog':
      return `${number(median(figures.empty))}/s, with ${figures.backlog} behind them ${number(median(figures.full))}/s`
    case 'import':
      return `${number(median(figures.ms))} ms, ${number(median(figures.megabytes))} MB`
    case 'install':
      if ('skipped' in figures) return `SKIPPED: ${figures.skipped}`
      return `${((figures.installMs + figures.firstJobMs) / 1_000).toFixed(1)} s, ${figures.installScripts.length} install scripts`
  }
}
