module.exports = require("../request/index.cjs");
