import { libraryConfig } from '../../tsup.base.ts'

export default libraryConfig({ index: 'src/index.ts', arbitraries: 'src/arbitraries.ts', contracts: 'src/contracts.ts' })
