// The directory under which Kafka's APIs list all partitions: a broker's disk has a path, the object store has this name.

export const logDirectory = 'object-store'
