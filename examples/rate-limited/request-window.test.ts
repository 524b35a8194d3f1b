import { expect, test } from 'vitest'
import { requestWindow } from './request-window.ts'

test('the window slides: what comes too fast over the border of two seconds is found', () => {
  const requests = requestWindow(3, 1_000)
  const answers = [0, 900, 950, 1_000, 1_001, 1_899, 1_900].map(now => requests.begin(now))
  expect(answers).toEqual([true, true, true, true, false, false, false])
  expect(requests.violations).toBe(3)
  expect(requests.most).toBe(5)
})

test('requests at the full distance are allowed', () => {
  const requests = requestWindow(2, 100)
  expect([0, 0, 100, 100, 200, 200].map(now => requests.begin(now))).toEqual([true, true, true, true, true, true])
  expect(requests.most).toBe(2)
})

test('counts what is being answered at the same time', () => {
  const requests = requestWindow(10, 1_000)
  requests.begin(0)
  requests.begin(1)
  requests.end()
  requests.begin(2)
  expect(requests.mostAtOnce).toBe(2)
  expect(requests.times).toEqual([0, 1, 2])
})
