module.exports = function request() {
  throw new Error("request is not there; src/matrix/sdk-client.ts gives matrix-bot-sdk a transport");
};
