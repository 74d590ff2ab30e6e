// The names of all operators, so that a test can find one without a row.
// SPDX-License-Identifier: Apache-2.0

/// Every differentiable or indexing operator that models may use.
///
/// The operator table of `CoreTests` fails for a name without a row: a new operator is listed here
/// and tested there.
package enum OperatorCatalogue {
    /// Arithmetic on the tensor value itself.
    package static let tensor = [
        "add", "subtract", "multiply", "divide", "maximum", "minimum", "greater", "negate",
        "addScalar", "multiplyScalar", "exp", "log", "sqrt", "reciprocal", "square", "abs", "relu",
        "sigmoid", "tanh", "silu", "geluTanh", "clamped", "sum", "mean", "max", "argmax",
        "reshaped", "permuted", "transposed", "narrowed", "split", "expanded", "unsqueezed",
        "squeezed", "contiguous", "padded", "concatenated", "stacked", "matmul", "linear",
    ]

    /// The parts of networks.
    package static let network = [
        "convolution2D", "fusedConvolution2D", "groupNorm", "layerNorm", "modulatedLayerNorm",
        "gatedResidual", "l2Normalized", "softmax", "logSoftmax", "crossEntropy", "attention",
        "cosineAttention", "embedding", "nearestCodes", "argsort", "topK", "sortedDescending",
        "resized", "upsampledNearest2x",
        "averagePool2D", "maxPool2D", "dropout", "dropPath", "feedForward",
        "fieldNorm", "basisExpansion", "rotated",
    ]

    /// Everything in one list.
    package static var all: [String] { tensor + network }
}
