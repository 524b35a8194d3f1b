import { EventEmitter } from 'eventemitter3'
import { start } from '@genstage/core'
import { describe, expect, it } from 'vitest'
import { fromEventEmitter } from '../../src/index.ts'
import { recordedRuntime, thrownBy, wrong } from '../web/support/recorded-runtime.ts'
import { emitterCases } from './support/emitter-cases.ts'

emitterCases('an emitter of eventemitter3', () => new EventEmitter())

it('takes emitters whose events have types', async () => {
  const { runtime } = recordedRuntime()
  const typed = new EventEmitter<{ price: (name: string, price: number) => void }>()
  const source = start(fromEventEmitter<string>(typed, 'price'), { runtime })
  await source.ready
  typed.emit('price', 'tea', 3)
  for await (const name of source.stream()) {
    expect(name).toBe('tea')
    break
  }
})

describe('fromEventEmitter', () => {
  const emitter = new EventEmitter()

  it.each([
    ['null', null],
    ['text', 'data'],
    ['an object without off', { on() {} }],
    ['an EventTarget', new EventTarget()],
  ])('BAD-64 refuses %s as an emitter', (_, source) => {
    expect(thrownBy(() => fromEventEmitter(wrong(source), 'data'))).toMatchObject({ code: 'BAD_SOURCE' })
  })

  it.each(['', 'error', undefined, 5])('BAD-65 refuses %j as the name of an event', name => {
    expect(thrownBy(() => fromEventEmitter(emitter, wrong(name)))).toMatchObject({ code: 'BAD_SOURCE' })
  })

  it('BAD-13 BAD-19 refuses bad options', () => {
    const refused = (options: unknown) => thrownBy(() => fromEventEmitter(emitter, 'data', wrong(options)))
    expect(refused({ overflow: 'drop' })).toMatchObject({ code: 'BAD_OPTION', option: 'overflow' })
    expect(refused({ bufferSize: -1 })).toMatchObject({
      code: 'BAD_OPTION',
      option: 'bufferSize',
      message: 'fromEventEmitter: bufferSize must be a whole number from 0, or Infinity, not -1',
    })
    expect(refused({ map: 1 })).toMatchObject({ code: 'BAD_OPTION', option: 'map' })
    expect(refused({ end: '' })).toMatchObject({ code: 'BAD_OPTION', option: 'end' })
    expect(refused({ end: ['close', 1] })).toMatchObject({ code: 'BAD_OPTION', option: 'end' })
    expect(refused({ onClose: 'x' })).toMatchObject({ code: 'BAD_OPTION', option: 'onClose' })
  })

  it('takes an emitter that is a function', () => {
    const callable = Object.assign(() => {}, { on() {}, off() {} })
    expect(fromEventEmitter(callable, 'data').type).toBe('producer')
  })
})
