/**
 * The process of one cell: imports the module named on the command line, lets it measure, hands over what it found as JSON, and
 * ends at once, whatever is still running.
 */
import { writeFileSync } from 'node:fs'
import { figuresPipe, type CellModule, type CellRequest } from './cell-request.ts'

const request = JSON.parse(process.argv[2] ?? '{}') as CellRequest
const { measure } = (await import(request.module)) as CellModule
writeFileSync(figuresPipe, JSON.stringify(await measure(request)))
process.exit(0)
