// Starts one more server, which tests can share.
module.exports = {
  globalSetup: 'local-kafka-service/jest',
  globalTeardown: 'local-kafka-service/jest/teardown',
}
