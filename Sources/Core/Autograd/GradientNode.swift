// The recorded graph: what a value was computed from. SPDX-License-Identifier: Apache-2.0

/// One recorded operation, or a leaf; identity is what gradients are collected under.
package final class GradientNode: Sendable {
    /// The nodes of the inputs, nil where an input was not recorded.
    let inputs: [GradientNode?]
    /// From the gradient of the output to the gradients of the inputs; nil for a leaf. The second
    /// argument is what the first input has got so far, for operators that add to it themselves.
    let backward: (@Sendable (Tensor, Tensor?) -> [Gradient?])?
    /// Whether `backward` reads its second argument.
    let addsToFirst: Bool

    init(
        inputs: [GradientNode?] = [], addsToFirst: Bool = false,
        backward: (@Sendable (Tensor, Tensor?) -> [Gradient?])? = nil
    ) {
        self.inputs = inputs
        self.addsToFirst = addsToFirst
        self.backward = backward
    }
}

/// The gradient of one input: a whole tensor, or a piece of one that is zero elsewhere.
///
/// Pieces keep a split's backward pass from building a full-sized zero tensor per part.
package struct Gradient: Sendable {
    let value: Tensor
    let placement: (axis: Int, start: Int, shape: [Int])?
    /// Whether it holds what the input had got before, too.
    let isTotal: Bool

    package init(_ value: Tensor, isTotal: Bool = false) {
        self.value = value.detached()
        self.placement = nil
        self.isTotal = isTotal
    }

    init(_ value: Tensor, placedAt start: Int, axis: Int, in shape: [Int]) {
        self.value = value.detached()
        self.placement = (axis, start, shape)
        self.isTotal = false
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
    return output.with(
        node: GradientNode(inputs: inputs.map(\.node)) { dy, _ in backward(dy) })
}

/// The same for an operator that can add the gradient of its first input to what that has got so far,
/// the closure's second argument, while writing it; it marks such a gradient as total.
package func recorded(
    _ output: Tensor, inputs: [Tensor],
    adding backward: @escaping @Sendable (Tensor, Tensor?) -> [Gradient?]
) -> Tensor {
    guard inputs.contains(where: { $0.node != nil }), Recording.isOn else { return output }
    return output.with(
        node: GradientNode(inputs: inputs.map(\.node), addsToFirst: true, backward: backward))
}

/// Whether a backward pass would use a gradient for this tensor.
package func needsGradient(_ tensor: Tensor) -> Bool { tensor.node != nil }
