import { imageLayout } from '@stowage/oci'
import { formatLayoutIndex, type LayoutIndex } from '../../layout/layout-index.ts'
import { bytesPart, type TarPart } from './write-tar.ts'

/** The content of the file that says that this is a layout. */
const layoutFile: Uint8Array = new TextEncoder().encode(JSON.stringify({ imageLayoutVersion: imageLayout.version }))

/** What says what the archive is comes first, for those who read it as it comes (`first` belongs to that); everything else is in the order of its name. */
export const layoutParts = (
  index: LayoutIndex,
  rest: readonly TarPart[],
  first: readonly TarPart[] = [],
): TarPart[] => [
  bytesPart(imageLayout.layoutFile, layoutFile),
  bytesPart(imageLayout.indexFile, formatLayoutIndex(index)),
  ...first,
  ...rest.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
]
