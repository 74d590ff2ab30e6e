// The recorded graph: what a value was computed from. SPDX-License-Identifier: Apache-2.0

/// One recorded operation, or a leaf; identity is what gradients are collected under.
package final class GradientNode: Sendable {
    /// The nodes of the inputs, nil where an input was not recorded.
    let inputs: [GradientNode?]
    /// From the gradient of the output to the gradients of the inputs; nil for a leaf.
    let backward: (@Sendable (Tensor) -> [Gradient?])?

    init(inputs: [GradientNode?] = [], backward: (@Sendable (Tensor) -> [Gradient?])? = nil) {
        self.inputs = inputs
        self.backward = backward
    }
}

/// The gradient of one input: a whole tensor, or a piece of one that is zero elsewhere.
///
/// Pieces keep a split's backward pass from building a full-sized zero tensor per part.
package struct Gradient: Sendable {
    let value: Tensor
    let placement: (axis: Int, start: Int, shape: [Int])?

    package init(_ value: Tensor) {
        self.value = value.detached()
        self.placement = nil
    }

    init(_ value: Tensor, placedAt start: Int, axis: Int, in shape: [Int]) {
        self.value = value.detached()
        self.placement = (axis, start, shape)
    }
}

/// Whether operations are recorded in the current task or thread.
package enum Recording {
    @TaskLocal package static var isOn = true
}

/// Runs `body` without recording anything.
public func withoutGradients<R>(_ body: () throws -> R) rethrows -> R {
    try Recording.$isOn.withValue(false, operation: body)
}

/// Attaches `backward` to `output` when one of `inputs` is recorded; else returns it as it is.
///
/// `backward` gets the gradient of the output and returns one gradient per input, nil where none is
/// needed (``needsGradient(_:)``). Inside it nothing is recorded.
package func recorded(
    _ output: Tensor, inputs: [Tensor], backward: @escaping @Sendable (Tensor) -> [Gradient?]
) -> Tensor {
    guard inputs.contains(where: { $0.node != nil }), Recording.isOn else { return output }
    return output.with(node: GradientNode(inputs: inputs.map(\.node), backward: backward))
}

/// Whether a backward pass would use a gradient for this tensor.
package func needsGradient(_ tensor: Tensor) -> Bool { tensor.node != nil }
