/** Runs an example by its name: `npm run example -- fan-out-fan-in --json`. Without a name it lists them. */
import { existsSync, readdirSync } from 'node:fs'

const names = readdirSync(new URL('.', import.meta.url)).filter(name => existsSync(new URL(`./${name}/main.ts`, import.meta.url)))
const [name = ''] = process.argv.splice(2, 1)

if (names.includes(name)) await import(new URL(`./${name}/main.ts`, import.meta.url).href)
else {
  console.error(`${name && `there is no example "${name}"; `}usage: npm run example -- NAME [options]\n\n  ${names.join('\n  ')}`)
  process.exitCode = 2
}
