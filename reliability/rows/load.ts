import { tagsAtOnce, uploadsBeyond } from '../load/overload.ts'
import { pulls } from '../load/pulls.ts'
import { pushes } from '../load/pushes.ts'
import { slowReaders } from '../load/slow.ts'
import { type PhaseOutcome, setStage } from '../load/stage.ts'
import type { Row } from '../row.ts'

export const load: Row = {
  name: 'load',
  title: 'many at once: pulls, pushes, slow readers, more than the limits',
  method:
    'Clients in processes of their own against one server, started anew for each part on the same data: pulls of one blob all ' +
    'at once over own connections, pushes all at once, readers of 10 KiB/s beside pulls of manifests, and more ' +
    'uploads and tags than the limits admit. Memory is the peak of the server, and one pull in ten is compared byte for byte.',
  portable: true,
  run: async (context) => {
    const stage = await setStage(context)
    const outcomes: PhaseOutcome[] = [
      await pulls(stage, 300),
      await pulls(stage, 1000),
      await pushes(stage, stage.small ? 30 : 100),
      await slowReaders(stage, stage.small ? 200 : 2000),
    ]
    // Limits that are ours.
    if (context.registry === 'stowage') outcomes.push(await uploadsBeyond(stage), await tagsAtOnce(stage))
    return {
      figures: Object.assign({}, ...outcomes.map(({ figures }) => figures)) as PhaseOutcome['figures'],
      failures: outcomes.flatMap(({ failures }) => failures),
    }
  },
}
