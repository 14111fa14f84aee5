// danfojs-node asks for @tensorflow/tfjs-node by name, which would be a second TensorFlow in the same process.
module.exports = require('@tensorflow/tfjs-node-gpu');
