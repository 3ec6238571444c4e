import type { Digest } from '@stowage/oci'

/**
 * What is known of one target, shared by the copies to it: nothing is asked for, or sent, that one of them has put or seen there
 * already, or that one of them is about to put.
 */
export interface TargetKnowledge {
  /** Blobs that are there, or on their way; those that did not arrive are taken out again. */
  readonly blobs: Map<Digest, Promise<void>>
  /** Manifests that are there, and of indexes all their children: one that is sparse is not among them. */
  readonly manifests: Set<Digest>
  /** Manifests that were found there, or that one of the copies is asking for just now. */
  readonly asked: Map<Digest, Promise<boolean>>
  /** Whether it is known that the target has no such tag. */
  lacksTag(tag: string): boolean
  /** Whether it had nothing at all: what is small is then sent without asking for it first, which costs the same. */
  readonly isNew: boolean
}

/** What is known of a target before the first copy. */
export interface KnowledgeOptions {
  readonly lacksTag?: (tag: string) => boolean
  readonly isNew?: boolean
}

/** Nothing is known yet, but what is said. */
export const createTargetKnowledge = ({
  lacksTag = () => false,
  isNew = false,
}: KnowledgeOptions = {}): TargetKnowledge => ({
  blobs: new Map(),
  manifests: new Set(),
  asked: new Map(),
  lacksTag,
  isNew,
})
