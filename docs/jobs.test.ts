import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
const source = (file: string): string => read(`packages/jobs/src/${file}`)

/** The names of the members of an exported interface, as they stand in its source. */
function membersOf(type: string, file: string): readonly string[] {
  const [, body = ''] = new RegExp(`export interface ${type}\\b[^{]*{\\n((?: .*\\n|\\n)*)}`).exec(source(file)) ?? []
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, name = '']) => name)
}

/** What stands as code in the first column of the tables of a page, or of the part under a heading. */
function firstColumns(text: string): readonly string[] {
  return [...text.matchAll(/^\| ([^|]+)\|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  )
}

function partOf(page: string, heading: string): string {
  const [, part = ''] = new RegExp(`^#+ ${heading}\\n([^]*?)(?=^#+ |$(?![^]))`, 'm').exec(page) ?? []
  return part
}

describe('the page on options of jobs', () => {
  const page = read('docs/options-jobs.md')

  it.each([
    ['A client and a runner', 'ClientOptions', 'client-options.ts'],
    ['A runner', 'RunnerOptions', 'runner-options.ts'],
    ['A queue', 'QueueOptions', 'queue-options.ts'],
    ['A kind, and a job', 'CommonJobOptions', 'job-settings.ts'],
    ['A kind, and a job', 'KindOptions', 'kind.ts'],
    ['A kind, and a job', 'EnqueueOptions', 'enqueue-options.ts'],
    ['Retention', 'RetentionOptions', 'retention-options.ts'],
    ['The SQLite store', 'SqliteStoreOptions', 'stores/sqlite/sqlite-options.ts'],
    ['To look and to wait', 'ListOptions', 'list-options.ts'],
    ['To look and to wait', 'ResultOptions', 'result-waiter.ts'],
  ])('has under %s all of %s', (heading, type, file) => {
    const members = membersOf(type, file)
    expect(members.length).toBeGreaterThan(1)
    expect(firstColumns(partOf(page, heading))).toEqual(expect.arrayContaining([...members]))
  })

  it('names no option that is none', () => {
    const runner = [...membersOf('RunnerOptions', 'runner-options.ts')]
    expect(firstColumns(partOf(page, 'A runner'))).toEqual(expect.arrayContaining(runner))
    expect(firstColumns(partOf(page, 'A runner')).length).toBe(runner.length)
  })
})

describe('the page on operating jobs', () => {
  it('has every event, and no other', () => {
    const [, body = ''] = /export interface JobEvents {\n([^]*?)^}/m.exec(source('events.ts')) ?? []
    const events = [...body.matchAll(/^ {2}(\w+): \[/gm)].map(([, name = '']) => name)
    expect(events).toContain('stopping')
    expect([...firstColumns(partOf(read('docs/guide/21-operating-jobs.md'), 'Watching'))].sort()).toEqual([...events].sort())
  })
})

describe('the lines of the log of jobs', () => {
  it('stand in the table, each code with its levels', () => {
    const files = readdirSync(new URL('../packages/jobs/src', import.meta.url), { recursive: true, encoding: 'utf8' })
    const told = files
      .filter(file => file.endsWith('.ts') && !file.startsWith('testing'))
      .flatMap(file => [
        ...source(file).matchAll(
          /ogger(?:\.(warn|error)|\[isOver \? '(error)' : '(warn)'\])\((?:(?!ogger)[^]){0,300}?code: '(\w+)'/g,
        ),
      ])
      .flatMap(([, level, first, second, code = '']) =>
        [level, first, second].flatMap(each => each ?? []).map(each => `${code} ${each}`),
      )
    const rows = [...partOf(read('docs/errors-jobs.md'), 'Lines of the log').matchAll(/^\| `(\w+)` +\| ([a-z, ]+?) +\|/gm)]
    const listed = rows.flatMap(([, code = '', levels = '']) => levels.split(', ').map(level => `${code} ${level}`))
    expect(told.length).toBeGreaterThan(12)
    expect([...new Set(listed)].sort()).toEqual([...new Set(told)].sort())
  })
})
