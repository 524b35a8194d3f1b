import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const built = join(root, 'packages/core/dist')

/** Below `node_modules`, so that what core imports is found. */
const folder = join(root, 'node_modules/.cache/core-without-telemetry')

/** Each place in core that looks whether somebody listens; fewer than this, and the built package is not what this file knows. */
const fewestLooks = 10

/** Where the package is that `writeCoreWithoutTelemetry` has made. */
export const coreWithoutTelemetry: string = pathToFileURL(join(folder, 'index.js')).href

/** Makes a copy of the built core in which nobody ever listens, and which knows that when it is compiled. */
export function writeCoreWithoutTelemetry(): void {
  mkdirSync(folder, { recursive: true })
  let looks = 0
  for (const name of readdirSync(built).filter(each => each.endsWith('.js'))) {
    const { code, replaced } = withoutTelemetry(readFileSync(join(built, name), 'utf8'))
    writeFileSync(join(folder, name), code)
    looks += replaced
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  if (looks < fewestLooks) throw new Error(`only ${looks} looks at the telemetry found in ${built}: it has changed its shape`)
}

/** The code with every look at the telemetry answered beforehand, and how many there were. */
export function withoutTelemetry(code: string): { readonly code: string; readonly replaced: number } {
  let replaced = 0
  const count = () => {
    replaced++
    return 'false'
  }
  const answered = code.replaceAll(/(?:#?\b[\w$]+\.)*#?\btelemetry\.active\b/g, count)
  return { code: answered.replaceAll(/(?:#?\b[\w$]+\.)*#?\btelemetry\.look\(\)/g, 'undefined'), replaced }
}
