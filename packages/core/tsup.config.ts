import { libraryConfig } from '../../tsup.base.ts'

export default libraryConfig({ index: 'src/index.ts', protocol: 'src/protocol-entry.ts', adapters: 'src/adapters-entry.ts' })
