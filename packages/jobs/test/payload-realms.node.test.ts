import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { decodePayload, encodePayload } from '../src/payload.ts'
import { refused } from './support/refusal.ts'

it('a payload may be plain data of another realm, as test runners make them', () => {
  const value: unknown = runInNewContext('({ a: [1, { b: "c" }] })')
  expect(decodePayload(encodePayload(value, 'args'))).toEqual({ a: [1, { b: 'c' }] })
})

it('BAD-75 instances of another realm are refused like all others', () => {
  for (const source of ['new Map()', 'new Date(0)', 'new (class Money {})()', 'new (class Rows extends Array {})()'])
    expect(refused('BAD_PAYLOAD', () => encodePayload([runInNewContext(source)], 'args')).message).toMatch(/^args\[0\] is a /)
})
