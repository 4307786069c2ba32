// The operations of the HTTP API. It is one thing, and long: generated from docs/reference/openapi.json by pnpm check --write; do not edit.

export interface Operations {
  /** List all topics, by name. */
  listTopics: {
    params: Readonly<Record<never, never>>
    query: {
      readonly counts?: 'records' | 'bytes'
    }
    body: undefined
    answer: {
      readonly topics: readonly {
        readonly name: string
        readonly id: string
        readonly partitions: number
        readonly config: Readonly<Record<string, string>>
        readonly createdAt: string
        readonly records?: number
        readonly bytes?: number
      }[]
    }
  }
  /** Create a topic. */
  createTopic: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: {
      readonly name: string
      readonly partitions?: number
      readonly config?: Readonly<Record<string, string | number | boolean>>
    }
    answer: {
      readonly name: string
      readonly id: string
      readonly partitions: number
      readonly config: Readonly<Record<string, string>>
      readonly createdAt: string
    }
  }
  /** Show a topic with its effective configs. */
  showTopic: {
    params: {
      readonly topic: string
    }
    query: {
      readonly counts?: 'records' | 'bytes'
    }
    body: undefined
    answer: {
      readonly name: string
      readonly id: string
      readonly partitions: number
      readonly config: Readonly<Record<string, string>>
      readonly createdAt: string
      readonly records?: number
      readonly bytes?: number
      readonly effectiveConfig: readonly {
        readonly name: string
        readonly value: string
        readonly source: string
        readonly type: string
        readonly doc: string
      }[]
    }
  }
  /** Change configs of a topic. */
  changeTopic: {
    params: {
      readonly topic: string
    }
    query: Readonly<Record<never, never>>
    body: {
      readonly config: Readonly<Record<string, string | number | boolean | null>>
      readonly dryRun?: boolean
    }
    answer: {
      readonly name: string
      readonly id: string
      readonly partitions: number
      readonly config: Readonly<Record<string, string>>
      readonly createdAt: string
    }
  }
  /** Delete a topic and all its records. */
  deleteTopic: {
    params: {
      readonly topic: string
    }
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly name: string
      readonly id: string
      readonly partitions: number
      readonly config: Readonly<Record<string, string>>
      readonly createdAt: string
    }
  }
  /** Show a topic's partitions with their offsets and bytes. */
  showPartitions: {
    params: {
      readonly topic: string
    }
    query: {
      readonly from?: string
    }
    body: undefined
    answer: {
      readonly topic: string
      readonly partitions: readonly ({
        readonly partition: number
        readonly logStartOffset: number
        readonly highWatermark: number
        readonly lastStableOffset: number
        readonly bytes: number
        readonly newest: number | null
      })[]
    }
  }
  /** Bring a deleted topic back with its records. */
  undeleteTopic: {
    params: {
      readonly id: string
    }
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly name: string
      readonly id: string
      readonly partitions: number
      readonly config: Readonly<Record<string, string>>
      readonly createdAt: string
    }
  }
  /** List the deleted topics that can be brought back, the newest deletion first. */
  listDeletedTopics: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly topics: readonly {
        readonly name: string
        readonly id: string
        readonly partitions: number
        readonly deletedAt: string
        readonly purgeAt: string
      }[]
    }
  }
  /** Delete the records of a partition before an offset. */
  deleteRecords: {
    params: {
      readonly topic: string
    }
    query: Readonly<Record<never, never>>
    body: {
      readonly partition: number
      readonly beforeOffset: number
    }
    answer: {
      readonly topic: string
      readonly partition: number
      readonly logStartOffset: number
    }
  }
  /** Compact a topic now. */
  compactTopic: {
    params: {
      readonly topic: string
    }
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly topic: string
    }
  }
  /** List the groups of the cluster, by id. */
  listGroups: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly groups: readonly {
        readonly group: string
        readonly type: string
        readonly state: string
        readonly protocolType: string
      }[]
    }
  }
  /** Show a group: its members and their assignments, its offsets and its lag. */
  showGroup: {
    params: {
      readonly group: string
    }
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly group: string
      readonly type: string
      readonly state: string
      readonly protocolType: string
      readonly protocol: string | null
      readonly generation: number
      readonly leader: string | null
      readonly members: readonly ({
        readonly member: string
        readonly instance: string | null
        readonly clientId: string
        readonly host: string
        readonly topics: readonly string[] | null
        readonly assignment: readonly {
          readonly topic: string
          readonly partitions: readonly number[]
        }[] | null
      })[]
      readonly partitions: readonly ({
        readonly topic: string
        readonly partition: number
        readonly offset: number | null
        readonly metadata: string | null
        readonly start: number
        readonly end: number
        readonly lag: number
        readonly member: string | null
      })[]
      readonly lag: number
    }
  }
  /** Delete a group without members, with its offsets. */
  deleteGroup: {
    params: {
      readonly group: string
    }
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly group: string
    }
  }
  /** Move a group's offsets to the start, the end, a time or an offset, or by a number. */
  seekGroup: {
    params: {
      readonly group: string
    }
    query: Readonly<Record<never, never>>
    body: {
      readonly to?: 'start' | 'end'
      readonly time?: string
      readonly offset?: number
      readonly by?: number
      readonly topic?: string
      readonly partitions?: readonly number[]
      readonly apply?: boolean
    }
    answer: {
      readonly group: string
      readonly applied: boolean
      readonly partitions: readonly ({
        readonly topic: string
        readonly partition: number
        readonly from: number | null
        readonly to: number
        readonly end: number
        readonly lag: number
      })[]
    }
  }
  /** List the transactional ids of the cluster, with the state of the newest transaction of each. */
  listTransactions: {
    params: Readonly<Record<never, never>>
    query: {
      readonly state?: 'Empty' | 'Ongoing' | 'CompleteCommit' | 'CompleteAbort'
      readonly open_for_ms?: string
    }
    body: undefined
    answer: {
      readonly transactions: readonly ({
        readonly transactionalId: string
        readonly state: string
        readonly producerId: number
        readonly producerEpoch: number
        readonly timeoutMs: number
        readonly startedAt: string | null
        readonly coordinator: number | null
      })[]
    }
  }
  /** Show a transactional id, with the partitions and groups of its open transaction. */
  showTransaction: {
    params: {
      readonly id: string
    }
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly transactionalId: string
      readonly state: string
      readonly producerId: number
      readonly producerEpoch: number
      readonly timeoutMs: number
      readonly startedAt: string | null
      readonly coordinator: number | null
      readonly topics: readonly {
        readonly topic: string
        readonly partitions: readonly number[]
      }[]
      readonly groups: readonly string[]
    }
  }
  /** Abort the open transaction of a transactional id, as after a time-out. */
  abortTransaction: {
    params: {
      readonly id: string
    }
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly transactionalId: string
      readonly aborted: boolean
    }
  }
  /** List the offsets that are known to be damaged, and those that were skipped. */
  listDamage: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly damage: readonly {
        readonly topic: string
        readonly partition: number
        readonly offset: number
        readonly lastOffset: number
        readonly object: string
        readonly message: string
        readonly kind: string
      }[]
      readonly skipped: readonly {
        readonly topic: string
        readonly partition: number
        readonly offset: number
        readonly lastOffset: number
        readonly object: string
        readonly message: string
        readonly skippedAt: string
      }[]
    }
  }
  /** Show the progress of the check, or the result of the last one. */
  showCheck: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly state: string
      readonly startedAt: string
      readonly endedAt: string | null
      readonly objects: {
        readonly checked: number
        readonly total: number
      }
      readonly bytes: {
        readonly checked: number
        readonly total: number
      }
      readonly damagedObjects: number
      readonly harmlessObjects: number
      readonly message: string | null
    }
  }
  /** Begin to read all stored objects and compare their checksums. */
  beginCheck: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly state: string
      readonly startedAt: string
      readonly endedAt: string | null
      readonly objects: {
        readonly checked: number
        readonly total: number
      }
      readonly bytes: {
        readonly checked: number
        readonly total: number
      }
      readonly damagedObjects: number
      readonly harmlessObjects: number
      readonly message: string | null
    }
  }
  /** Stop the check. */
  stopCheck: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly state: string
      readonly startedAt: string
      readonly endedAt: string | null
      readonly objects: {
        readonly checked: number
        readonly total: number
      }
      readonly bytes: {
        readonly checked: number
        readonly total: number
      }
      readonly damagedObjects: number
      readonly harmlessObjects: number
      readonly message: string | null
    }
  }
  /** Make consumers pass over the damaged offsets of a topic. */
  skipDamaged: {
    params: {
      readonly topic: string
    }
    query: Readonly<Record<never, never>>
    body: {
      readonly partition?: number
      readonly offset?: number
      readonly apply?: boolean
    }
    answer: {
      readonly topic: string
      readonly applied: boolean
      readonly ranges: readonly {
        readonly topic: string
        readonly partition: number
        readonly offset: number
        readonly lastOffset: number
        readonly object: string
        readonly message: string
        readonly kind: string
      }[]
    }
  }
  /** Show the cluster: its id, the agent that answers, and the count of agents and slots. */
  showCluster: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly clusterId: string
      readonly brokerId: number
      readonly agent: string | null
      readonly agents: number
      readonly slots: number
    }
  }
  /** List the living agents, as of the last heartbeat of the one that answers. */
  listAgents: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly agents: readonly ({
        readonly agent: string
        readonly brokerId: number
        readonly kafka: string
        readonly rack: string | null
        readonly slots: number
        readonly answers: boolean
        readonly control: string | null
        readonly data: string | null
      })[]
    }
  }
  /** Stop an agent, as SIGTERM does: it answers what it has admitted, gives its slots to the others, and ends. */
  drainAgent: {
    params: {
      readonly agent: string
    }
    query: Readonly<Record<never, never>>
    body: undefined
    answer: string
  }
  /** Show which agent owns which slots. */
  listSlots: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly slots: number
      readonly ranges: readonly ({
        readonly first: number
        readonly last: number
        readonly epoch: number
        readonly brokerId: number | null
        readonly agent: string | null
      })[]
    }
  }
  /** Show the jobs that look after what is stored: their last and next passes, what is left to do, and problems. */
  listUpkeep: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly jobs: readonly ({
        readonly job: string
        readonly about: string
        readonly elsewhere: boolean
        readonly running: boolean
        readonly lastPass: {
          readonly beganAt: string
          readonly endedAt: string
        } | null
        readonly nextPassAt: string | null
        readonly progress: string | null
        readonly backlog: Readonly<Record<string, number>>
        readonly problem: string | null
      })[]
    }
  }
  /** List the object store, and remove the objects that no commit has named and none ever will. */
  sweepStore: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: {
      readonly dryRun?: boolean
      readonly confirm?: boolean
    }
    answer: {
      readonly stored: {
        readonly objects: number
        readonly bytes: number
      }
      readonly orphans: {
        readonly objects: number
        readonly bytes: number
      }
      readonly open: {
        readonly objects: number
        readonly bytes: number
      }
      readonly foreignKeys: number
      readonly missing: {
        readonly objects: number
        readonly keys: readonly string[]
      } | null
      readonly halted: string | null
      readonly removed: {
        readonly objects: number
        readonly bytes: number
        readonly failed: number
      }
      readonly released: {
        readonly objects: number
        readonly bytes: number
      } | null
      readonly deletions: readonly {
        readonly object: string
        readonly bytes: number
        readonly why: string
      }[]
    }
  }
  /** Show which Kafka clients sent which requests to this agent, how long the answers took, and which errors they had. */
  listRequests: {
    params: Readonly<Record<never, never>>
    query: {
      readonly minutes?: string
    }
    body: undefined
    answer: {
      readonly minutes: number
      readonly requests: readonly ({
        readonly clientId: string | null
        readonly others: boolean
        readonly api: string
        readonly requests: number
        readonly bytesIn: number
        readonly bytesOut: number
        readonly meanMs: number
        readonly p50Ms: number | null
        readonly p99Ms: number | null
        readonly maxMs: number
        readonly errors: readonly ({
          readonly error: string
          readonly count: number
          readonly subject: string | null
          readonly message: string | null
          readonly lastAt: string
        })[]
      })[]
    }
  }
  /** Show the last flushes of this agent: how long each object was open, was being stored, and was being committed. */
  listFlushes: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly flushes: readonly ({
        readonly sequence: number
        readonly trigger: string
        readonly sizeBytes: number
        readonly batches: number
        readonly partitions: number
        readonly sealedAt: string
        readonly openMs: number
        readonly storeMs: number | null
        readonly waitMs: number | null
        readonly commitMs: number | null
        readonly failure: string | null
      })[]
    }
  }
  /** Metrics in the text format of Prometheus. */
  metrics: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: string
  }
  /** Whether the process is alive. */
  livez: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly status: string
      readonly reasons?: readonly string[]
    }
  }
  /** Whether the agent can serve; `reasons` lists the causes if it cannot, or what is affected if it is `degraded`. */
  readyz: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly status: string
      readonly reasons?: readonly string[]
    }
  }
  /** The version of the server, and where it is. */
  version: {
    params: Readonly<Record<never, never>>
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly version: string
      readonly clusterId: string
      readonly brokerId: number
      readonly kafka: string | null
    }
  }
  /** Explain an error. */
  explainError: {
    params: {
      readonly error: string
    }
    query: Readonly<Record<never, never>>
    body: undefined
    answer: {
      readonly error: string
      readonly error_code: number
      readonly kafka?: string
      readonly meaning: string
      readonly hint?: string
    }
  }
  /** Produce one record. */
  produceOne: {
    params: {
      readonly topic: string
      readonly partition: number
    }
    query: {
      readonly forward?: 0 | 1
    }
    body: string
    answer: {
      readonly topic: string
      readonly partition: number
      readonly offset: number
      readonly timestamp: number
      readonly key: string | null
      readonly keyEncoding?: 'base64'
    }
  }
  /** Produce records, one JSON object per line. */
  produceLines: {
    params: {
      readonly topic: string
    }
    query: {
      readonly forward?: 0 | 1
    }
    body: string
    answer: {
      readonly topic: string
      readonly records: readonly {
        readonly partition: number
        readonly offset?: number
        readonly timestamp?: number
        readonly error?: string
        readonly message?: string
      }[]
    }
  }
  /** Read one partition. */
  readMessages: {
    params: {
      readonly topic: string
      readonly partition: number
    }
    query: {
      readonly offset?: string
      readonly limit?: number
      readonly max_bytes?: number
      readonly timeout?: number
    }
    body: undefined
    answer: {
      readonly topic: string
      readonly partition: number
      readonly records: readonly ({
        readonly partition: number
        readonly offset: number
        readonly timestamp: number
        readonly key: string | null
        readonly keyEncoding?: 'base64'
        readonly value: string | null
        readonly valueEncoding?: 'base64'
        readonly headers: readonly ({
          readonly key: string
          readonly value: string | null
          readonly valueEncoding?: 'base64'
        })[]
        readonly compression?: string
        readonly transactional?: boolean
        readonly cut?: {
          readonly keyBytes?: number
          readonly valueBytes?: number
          readonly headerCount?: number
        }
      })[]
      readonly next: number
      readonly logStartOffset: number
      readonly highWatermark: number
      readonly unreadable?: readonly {
        readonly partition: number
        readonly from: number
        readonly to: number
        readonly message: string
      }[]
    }
  }
  /** Query all partitions. */
  queryMessages: {
    params: {
      readonly topic: string
    }
    query: {
      readonly key?: string
      readonly text?: string
      readonly since?: string
      readonly until?: string
      readonly order?: 'asc' | 'desc'
      readonly limit?: number
      readonly cursor?: string
    }
    body: undefined
    answer: {
      readonly topic: string
      readonly records: readonly ({
        readonly partition: number
        readonly offset: number
        readonly timestamp: number
        readonly key: string | null
        readonly keyEncoding?: 'base64'
        readonly value: string | null
        readonly valueEncoding?: 'base64'
        readonly headers: readonly ({
          readonly key: string
          readonly value: string | null
          readonly valueEncoding?: 'base64'
        })[]
        readonly compression?: string
        readonly transactional?: boolean
        readonly cut?: {
          readonly keyBytes?: number
          readonly valueBytes?: number
          readonly headerCount?: number
        }
      })[]
      readonly complete: boolean
      readonly cursor: string | null
      readonly scanned: readonly {
        readonly partition: number
        readonly from: number
        readonly to: number
        readonly end: number
      }[]
      readonly unreadable?: readonly {
        readonly partition: number
        readonly from: number
        readonly to: number
        readonly message: string
      }[]
    }
  }
}

export const routes = {
  listTopics: { method: 'GET', path: '/topics', plane: 'control' },
  createTopic: { method: 'POST', path: '/topics', plane: 'control' },
  showTopic: { method: 'GET', path: '/topics/{topic}', plane: 'control' },
  changeTopic: { method: 'PATCH', path: '/topics/{topic}', plane: 'control' },
  deleteTopic: { method: 'DELETE', path: '/topics/{topic}', plane: 'control' },
  showPartitions: { method: 'GET', path: '/topics/{topic}/partitions', plane: 'control' },
  undeleteTopic: { method: 'POST', path: '/topics/{id}/undelete', plane: 'control' },
  listDeletedTopics: { method: 'GET', path: '/deleted-topics', plane: 'control' },
  deleteRecords: { method: 'POST', path: '/topics/{topic}/delete-records', plane: 'control' },
  compactTopic: { method: 'POST', path: '/topics/{topic}/compact', plane: 'control' },
  listGroups: { method: 'GET', path: '/groups', plane: 'control' },
  showGroup: { method: 'GET', path: '/groups/{group}', plane: 'control' },
  deleteGroup: { method: 'DELETE', path: '/groups/{group}', plane: 'control' },
  seekGroup: { method: 'POST', path: '/groups/{group}/seek', plane: 'control' },
  listTransactions: { method: 'GET', path: '/transactions', plane: 'control' },
  showTransaction: { method: 'GET', path: '/transactions/{id}', plane: 'control' },
  abortTransaction: { method: 'POST', path: '/transactions/{id}/abort', plane: 'control' },
  listDamage: { method: 'GET', path: '/storage/damage', plane: 'control' },
  showCheck: { method: 'GET', path: '/storage/check', plane: 'control' },
  beginCheck: { method: 'POST', path: '/storage/check', plane: 'control' },
  stopCheck: { method: 'DELETE', path: '/storage/check', plane: 'control' },
  skipDamaged: { method: 'POST', path: '/topics/{topic}/skip-damaged', plane: 'control' },
  showCluster: { method: 'GET', path: '/cluster', plane: 'control' },
  listAgents: { method: 'GET', path: '/agents', plane: 'control' },
  drainAgent: { method: 'POST', path: '/agents/{agent}/drain', plane: 'control' },
  listSlots: { method: 'GET', path: '/slots', plane: 'control' },
  listUpkeep: { method: 'GET', path: '/upkeep', plane: 'control' },
  sweepStore: { method: 'POST', path: '/upkeep/sweep', plane: 'control' },
  listRequests: { method: 'GET', path: '/requests', plane: 'control' },
  listFlushes: { method: 'GET', path: '/flushes', plane: 'control' },
  metrics: { method: 'GET', path: '/metrics', plane: 'control' },
  livez: { method: 'GET', path: '/livez', plane: 'control' },
  readyz: { method: 'GET', path: '/readyz', plane: 'control' },
  version: { method: 'GET', path: '/version', plane: 'control' },
  explainError: { method: 'GET', path: '/errors/{error}', plane: 'control' },
  produceOne: { method: 'POST', path: '/topics/{topic}/produce/{partition}', plane: 'data' },
  produceLines: { method: 'POST', path: '/topics/{topic}/produce', plane: 'data' },
  readMessages: { method: 'GET', path: '/topics/{topic}/messages/{partition}', plane: 'data' },
  queryMessages: { method: 'GET', path: '/topics/{topic}/messages', plane: 'data' },
} as const

/** The form of every error. */
export interface Problem {
  readonly error: string
  readonly error_code: number
  readonly kafka?: {
    readonly code: number
    readonly name: string
  }
  readonly message: string
  readonly hint?: string
  readonly docs: string
  readonly request_id: string
}
