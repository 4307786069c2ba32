// One more server, for the tests that do with a shared one.
module.exports = {
  globalSetup: 'local-kafka-service/jest',
  globalTeardown: 'local-kafka-service/jest/teardown',
}
