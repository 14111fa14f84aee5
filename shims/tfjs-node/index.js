module.exports = require('captioning/dist/engine/tensorflow').tf;
