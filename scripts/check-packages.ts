/**
 * `npm run check:packages`, after a build: the packages as their users get them. What would be published is compared with
 * package-files.json (`-- --update` writes it), then installed into a folder of its own and used there as ESM, CommonJS and TypeScript.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const snapshot = join(root, 'scripts/package-files.json')
const names = readdirSync(join(root, 'packages'))
const user = mkdtempSync(join(tmpdir(), 'packages-'))
let failures = 0

try {
  writeFileSync(join(user, 'package.json'), '{ "name": "user", "private": true }\n')
  for (const name of names) {
    const folder = join(root, 'packages', name)
    check(`${name}: publint`, () => tool('publint', 'run', folder, '--strict'))
    check(`${name}: its types resolve however it is imported`, () => tool('attw', '--pack', folder, '--profile', 'node16'))
  }
  const packed = pack()
  check('the packed files are those of package-files.json', () => compareFiles(packed))
  check('the packed packages can be installed', () => install(...packed.map(({ filename }) => `./${filename}`)))
  check('without optional peers their main entries load', () => names.forEach(name => loadEntry(`@genstage/${name}`)))
  check('with their peers too they can be installed', () => install(...names.flatMap(peers)))
  for (const name of names) {
    check(`${name}: the licence is that of the project`, () => compareLicense(name))
    check(`${name}: no file holds a path of the machine that built it`, () => searchPaths(name))
    check(`${name}: every entry loads as ESM and as CommonJS, with the same exports`, () => entries(name).forEach(loadEntry))
    check(`${name}: nothing deep can be imported`, () => refuseDeep(name))
  }
  check('a program in ESM', () => assert.equal(runProgram('program.mjs'), '1 2 3'))
  check('a program in CommonJS', () => assert.equal(runProgram('program.cjs'), '1 2 3'))
  // Sum, greeting and result of its jobs; how often the last one ran, with how many crashes; what was told of its runner meanwhile
  const done = '5, hello you, done, 1, 0, blocked'
  check('jobs in a file, in ESM', () => assert.equal(runProgram('program.jobs.mjs'), done))
  check('jobs in a file, in CommonJS', () => assert.equal(runProgram('program.jobs.cjs'), done))
  check('a program in TypeScript, strict, with the libraries checked too', compileProgram)
} finally {
  rmSync(user, { recursive: true, force: true })
}
console.log(failures === 0 ? 'The packages are sound.' : `${failures} checks of the packages failed.`)
process.exitCode = failures === 0 ? 0 : 1

interface Packed {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** What `npm publish` would send, as tarballs in the user's folder. */
function pack(): readonly Packed[] {
  const folders = names.map(name => join(root, 'packages', name))
  return JSON.parse(run(root, 'npm', 'pack', '--json', '--pack-destination', user, ...folders)) as Packed[]
}

function compareFiles(packed: readonly Packed[]): void {
  const files = Object.fromEntries(packed.map(each => [each.name, each.files.map(({ path }) => withoutHash(path)).sort()]))
  if (process.argv.includes('--update')) writeFileSync(snapshot, `${JSON.stringify(files, null, 2)}\n`)
  assert.deepEqual(files, JSON.parse(readFileSync(snapshot, 'utf8')))
}

/** Shared chunks are named by their content: `dist/chunk-3KX2TQ5B.js`. */
function withoutHash(path: string): string {
  return path.replace(/-[\w-]{8}(?=\.(?:d\.)?[cm]?[jt]s)/, '-*')
}

function install(...specifiers: readonly string[]): void {
  const options = ['--prefix', user, '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline']
  run(user, 'npm', 'install', ...options, ...specifiers)
}

function installed(name: string): string {
  return join(user, 'node_modules/@genstage', name)
}

function compareLicense(name: string): void {
  assert.equal(readFileSync(join(installed(name), 'LICENSE'), 'utf8'), readFileSync(join(root, 'LICENSE'), 'utf8'))
}

function searchPaths(name: string): void {
  const paths = [root, `${homedir()}/`, '/home/', '/Users/', 'file:///']
  const files = readdirSync(installed(name), { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const found = files
    .map(entry => join(entry.parentPath, entry.name))
    .flatMap(file => paths.filter(path => readFileSync(file, 'utf8').includes(path)).map(path => `${file} holds ${path}`))
  assert.deepEqual(found, [])
}

interface Manifest {
  readonly exports: object
  readonly peerDependencies?: Readonly<Record<string, string>>
}

function manifest(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as Manifest
}

/** Peers that come from elsewhere: our own are installed already. */
function peers(name: string): readonly string[] {
  const all = Object.entries(manifest(name).peerDependencies ?? {})
  return all.filter(([peer]) => !peer.startsWith('@genstage/')).map(([peer, range]) => `${peer}@${range}`)
}

function entries(name: string): readonly string[] {
  const paths = Object.keys(manifest(name).exports).filter(path => path !== './package.json')
  return paths.map(path => `@genstage/${name}${path.slice(1)}`)
}

function loadEntry(specifier: string): void {
  const asModule = evaluate('module', `console.log(Object.keys(await import('${specifier}')).sort().join())`)
  const asCommonJs = evaluate('commonjs', `console.log(Object.keys(require('${specifier}')).sort().join())`)
  assert.notEqual(asModule, '', `${specifier} exports nothing`)
  assert.equal(asModule, asCommonJs, specifier)
}

function refuseDeep(name: string): void {
  for (const path of ['dist/index.js', 'dist/index', 'src/index.ts']) {
    const code = `import('@genstage/${name}/${path}').then(() => 'loaded', error => error.code).then(console.log)`
    assert.equal(evaluate('commonjs', code), 'ERR_PACKAGE_PATH_NOT_EXPORTED', path)
  }
}

function runProgram(file: string): string {
  copyFileSync(join(root, 'scripts/packed', file), join(user, file))
  return run(user, process.execPath, file).trim()
}

/** Against the types of both formats, with no others but those that a compiler brings for its target. */
function compileProgram(): void {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  }
  for (const file of ['program.mts', 'program.cts']) copyFileSync(join(root, 'scripts/packed/program.ts'), join(user, file))
  writeFileSync(join(user, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['program.mts', 'program.cts'] }))
  run(user, process.execPath, createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-p', user)
}

function evaluate(type: 'module' | 'commonjs', code: string): string {
  return run(user, process.execPath, `--input-type=${type}`, '--eval', code).trim()
}

function tool(name: string, ...args: string[]): void {
  run(root, join(root, 'node_modules/.bin', name), ...args)
}

/** What a command prints; throws with all that it printed if it fails. */
function run(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${status}\n${stdout}${stderr}`)
  return stdout
}

function check(title: string, work: () => void): void {
  try {
    work()
    console.log(`ok    ${title}`)
  } catch (error) {
    failures++
    console.error(`FAIL  ${title}\n${error instanceof Error ? error.message : String(error)}`)
  }
}
