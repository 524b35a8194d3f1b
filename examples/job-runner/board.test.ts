import type { QueueStats } from '@genstage/jobs'
import { describe, expect, test } from 'vitest'
import { boardLines, Drawing, plainLine, queueBar } from './board.ts'
import type { Moment } from './board.ts'
import { asJson, asText } from './report.ts'
import type { Results } from './report.ts'

const queue = (counts: Partial<QueueStats>): QueueStats => ({
  delayed: 0,
  waiting: 0,
  running: 0,
  completed: 0,
  failed: 0,
  discarded: 0,
  cancelled: 0,
  paused: false,
  ...counts,
})

const moment: Moment = {
  stats: {
    queues: {
      small: queue({ waiting: 600, delayed: 20, running: 4, completed: 1_370, failed: 5, discarded: 1 }),
      scan: queue({ completed: 1 }),
      slow: queue({ waiting: 13, running: 4, completed: 3 }),
    },
    processed: 1_374,
    failed: 6,
  },
  ms: 63_400,
  rate: 87.4,
  mishaps: [
    { name: 'deep/in/some/folder/README.md', attempt: 2, message: 'the disk did not answer', next: 'again in 0.5 s' },
    { name: 'LICENSE', attempt: 3, message: 'the disk is broken here', next: 'given up' },
  ],
  rescued: 4,
  isStopping: false,
}

describe('the board', () => {
  test('tells how far each queue is, and what went wrong', () => {
    expect(boardLines(moment, 79, 30).join('\n')).toBe(
      `
 1,380 of 2,021 jobs  68 %  87/s  1:03  4 rescued

        waiting  delayed  running   done  failed
 scan         0        0        0      1       0  ████████████████████████████
 slow        13        0        4      3       0  ████▒▒▒▒▒▒░░░░░░░░░░░░░░░░░░
 small      600       20        4  1,370       6  █████████████████×▒░░░░░░░░░

 deep/in/some/folder/README.md  attempt 2: the disk did not answer; again in 0…
 LICENSE                        attempt 3: the disk is broken here; given up

 Ctrl-C stops in order; the next start goes on where this one was`.slice(1),
    )
  })

  test('is shorter on a narrow terminal', () => {
    expect(boardLines(moment, 49, 30).join('\n')).toBe(
      `
 1,380 of 2,021 jobs  68 %  87/s  1:03  4 rescued

        wait  later  run   done  fail
 scan      0      0    0      1     0  █████████
 slow     13      0    4      3     0  █▒▒░░░░░░
 small   600     20    4  1,370     6  ████×▒░░░

 …e/folder/README.md  the disk did not answer
 LICENSE              the disk is broken here

 Ctrl-C stops; a new start goes on`.slice(1),
    )
  })

  test.each([120, 79, 65, 49, 30, 12, 1])('fits into %i columns, and into few lines', width => {
    for (const rows of [30, 12, 9, 5, 1]) {
      const lines = boardLines(moment, width, rows)
      expect(lines.length).toBeLessThanOrEqual(rows)
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width)
    }
  })

  test('says what a stop waits for, and that all is done', () => {
    expect(boardLines({ ...moment, isStopping: true }, 79, 30).at(-1)).toContain('stopping: 8 still run; Ctrl-C again')
    const done = { ...moment, stats: { ...moment.stats, queues: { small: queue({ completed: 2 }) } } }
    expect(boardLines(done, 79, 30).at(-1)).toBe(' done')
  })

  test('without any job has nothing to divide by', () => {
    const empty = { ...moment, stats: { queues: {}, processed: 0, failed: 0 }, mishaps: [] }
    expect(boardLines(empty, 79, 30)[0]).toBe(' 0 of 0 jobs  0 %  87/s  1:03  4 rescued')
  })

  test('is one line in a log', () => {
    expect(plainLine(moment)).toBe('1:03  1,380 of 2,021 jobs, 87/s, 8 running, 20 delayed, 6 failed')
    expect(plainLine({ ...moment, isStopping: true })).toMatch(/, stopping$/)
  })

  test('has bars of one length, in which all that is there is seen', () => {
    expect(queueBar(queue({ completed: 1_000_000, failed: 1, running: 1, waiting: 1 }), 10)).toBe('███████×▒░')
    for (let waiting = 1; waiting < 50; waiting++) {
      const bar = queueBar(queue({ completed: 7, failed: 2, running: 3, waiting }), 17)
      expect(bar).toHaveLength(17)
      expect(new Set(bar).size).toBe(4)
    }
  })

  test('is drawn over what was there, and cleared', () => {
    const written: string[] = []
    const drawing = new Drawing({ write: text => written.push(text) > 0 })
    drawing.draw(['a', 'b'])
    drawing.draw(['c'])
    drawing.clear()
    expect(written).toEqual(['\ra\x1b[K\nb\x1b[K\n\x1b[J', '\r\x1b[2Ac\x1b[K\n\x1b[J', '\r\x1b[1A\x1b[J'])
  })
})

const results: Results = {
  stats: {
    queues: { scan: queue({ completed: 1 }), small: queue({ completed: 1_200, failed: 2, discarded: 1 }) },
    processed: 1_201,
    failed: 3,
  },
  files: 1_200,
  counts: {
    words: 1_500_000,
    distinct: 60_000,
    top: [
      ['the', 12_345],
      ['of', 600],
    ],
  },
  check: 'same',
  givenUp: [
    {
      id: 'b',
      name: 'b/README.md',
      state: 'failed',
      error: { name: 'Error', message: 'gone' },
      history: [
        { attempt: 1, outcome: 'retry', failure: { name: 'DiskError', message: 'broken' } },
        { attempt: 2, outcome: 'retry', failure: { name: 'DiskError', message: 'broken' } },
        { attempt: 3, outcome: 'failed', failure: { name: 'Error', message: 'gone' } },
      ],
    },
  ],
  attempts: [
    { kind: 'file.count', queue: 'small', ended: 1_250, failed: 50, totalMs: 25_000, longestMs: 4_000 },
    { kind: 'folder.scan', queue: 'scan', ended: 1, failed: 0, totalMs: 800, longestMs: 800 },
  ],
  rescued: 0,
  ms: 12_340,
  interrupted: false,
}

describe('the report', () => {
  test('tells the words, how the jobs ended, what they took, and what was given up', () => {
    expect(asText(results, 80)).toBe(
      `
  1  12,345  ██████████████████████████  the
  2     600  █▎                          of

  jobs       1,204  (1,201 completed, 3 given up)
  files      1,200  counted
  words  1,500,000  (60,000 distinct)
  time        12.3  s in this process
  check   a direct count finds the same

  queue  kind         attempts  failed    mean   longest
  scan   folder.scan         1       0  800 ms    800 ms
  small  file.count      1,250      50   20 ms  4,000 ms

  given up
    b/README.md
      attempts 1 to 2: broken
      attempt 3: gone
    and 2 more
  --retry --calm tries the failed ones again
`.slice(1),
    )
  })

  test('of a work that was stopped tells what is left', () => {
    const left = { queues: { small: queue({ completed: 2, waiting: 7, delayed: 1 }), scan: queue({ completed: 1 }) } }
    const stopped: Results = { ...results, stats: { ...results.stats, ...left }, check: undefined, interrupted: true }
    expect(asText(stopped, 80)).toMatch(
      /\n {2}stopped: 8 of 11 jobs are left\n {4}small {2}7 {2}waiting {2}1 {2}delayed\n {2}start it again, and it goes on from here\n$/,
    )
    expect(JSON.parse(asJson(stopped))).toMatchObject({ interrupted: true, jobs: { left: 8 } })
  })

  test.each([80, 50, 20, 3])('fits into %i columns', width => {
    for (const line of asText(results, width).split('\n')) expect(line.length).toBeLessThanOrEqual(width)
  })

  test('as JSON has the fields for programs', () => {
    expect(JSON.parse(asJson(results))).toMatchObject({
      files: 1_200,
      words: 1_500_000,
      check: 'same',
      jobs: { total: 1_204, completed: 1_201, failed: 2, discarded: 1, left: 0 },
      givenUp: [{ id: 'b', name: 'b/README.md', state: 'failed', message: 'gone' }],
      ms: 12_340,
    })
    expect(JSON.parse(asJson(results))).not.toHaveProperty('interrupted')
  })
})
