// Reverse-mode differentiation. SPDX-License-Identifier: Apache-2.0

/// The gradients of one scalar with respect to every recorded leaf.
public struct Gradients: Sendable {
    private var values: [ObjectIdentifier: Tensor]
    // Leaves are kept alive so that an identifier cannot be taken over by another node.
    private var leaves: [GradientNode]

    fileprivate init(values: [ObjectIdentifier: Tensor], leaves: [GradientNode]) {
        self.values = values
        self.leaves = leaves
    }

    /// The gradient of a parameter; nil if the scalar does not depend on it.
    public subscript(parameter: Parameter) -> Tensor? {
        values[ObjectIdentifier(parameter.leafNode)]
    }

    /// The same with some parameters' gradients exchanged.
    func replacing(_ changed: [(parameter: Parameter, gradient: Tensor)]) -> Gradients {
        var result = self
        for (parameter, gradient) in changed {
            result.values[ObjectIdentifier(parameter.leafNode)] = gradient
        }
        return result
    }

    /// The gradient of a leaf made with `leaf()`; nil if the scalar does not depend on it.
    public subscript(leaf: Tensor) -> Tensor? {
        leaf.node.flatMap { values[ObjectIdentifier($0)] }
    }
}

extension Tensor {
    /// The same value as a new leaf: operations on it are recorded, and its gradient can be asked for.
    public func leaf() -> Tensor { with(node: GradientNode()) }

    /// Differentiates this scalar with respect to every leaf it was computed from.
    ///
    /// - Precondition: one element.
    public func backward() -> Gradients {
        requireShapes(count == 1, "backward", [shape])
        guard let root = node else { return Gradients(values: [:], leaves: []) }
        return withoutGradients {
            var accumulators: [ObjectIdentifier: Accumulator] = [:]
            accumulators[ObjectIdentifier(root)] = Accumulator(
                Gradient(Tensor.full(shape, 1, device: device)))
            var values: [ObjectIdentifier: Tensor] = [:]
            var leaves: [GradientNode] = []
            for node in topologicalOrder(from: root) {
                let id = ObjectIdentifier(node)
                guard var accumulator = accumulators.removeValue(forKey: id) else { continue }
                let gradient = accumulator.total()
                guard let backward = node.backward else {
                    values[id] = gradient
                    leaves.append(node)
                    continue
                }
                let pending =
                    node.addsToFirst
                    ? node.inputs.first?.flatMap { accumulators[ObjectIdentifier($0)]?.dense } : nil
                for (input, contribution) in zip(node.inputs, backward(gradient, pending)) {
                    guard let input, let contribution else { continue }
                    let inputID = ObjectIdentifier(input)
                    if contribution.isTotal || accumulators[inputID] == nil {
                        accumulators[inputID] = Accumulator(contribution)
                    } else {
                        accumulators[inputID]?.add(contribution)
                    }
                }
            }
            return Gradients(values: values, leaves: leaves)
        }
    }
}

/// The sum of the gradients that reach one node.
///
/// Pieces of one tensor, as a split's backward pass gives them, are laid side by side at the end
/// instead of being added to zeros one by one.
private struct Accumulator {
    /// The sum of whole gradients; nil while there are only pieces.
    private(set) var dense: Tensor?
    // A tensor that came from a backward closure may be shared with another node.
    private var isOwned = false
    private var pieces: [Gradient] = []

    init(_ first: Gradient) {
        if first.placement == nil { dense = first.value } else { pieces = [first] }
    }

    mutating func add(_ next: Gradient) {
        if dense == nil, isApart(next) {
            pieces.append(next)
            return
        }
        var sum = total()
        // A sum in new memory is one pass; a copy to add to would be two.
        if !isOwned, next.placement == nil, sum.dtype == .float32, next.value.dtype == .float32,
            sum.shape == next.value.shape
        {
            dense = sum.device.binary(.add, sum, next.value)
            isOwned = true
            pieces = []
            return
        }
        if !isOwned || sum.dtype != .float32 {
            sum = sum.copied()
            isOwned = true
        }
        dense = sum
        pieces = []
        var target = sum
        if let placement = next.placement {
            target = sum.narrowed(
                axis: placement.axis, start: placement.start,
                length: next.value.shape[placement.axis])
        }
        sum.device.add(next.value.cast(to: .float32), into: target)
    }

    /// Whether a piece neither overlaps another nor lies along another axis.
    private func isApart(_ next: Gradient) -> Bool {
        guard let place = next.placement else { return false }
        let end = place.start + next.value.shape[place.axis]
        return pieces.allSatisfy { piece in
            guard let other = piece.placement, other.axis == place.axis else { return false }
            return other.start >= end
                || other.start + piece.value.shape[other.axis] <= place.start
        }
    }

    mutating func total() -> Tensor {
        if let dense { return dense }
        guard let place = pieces.first?.placement else {
            preconditionFailure("a gradient is a tensor or pieces of one")
        }
        let types = Set(pieces.map(\.value.dtype))
        let dtype = types.count == 1 ? types.first ?? .float32 : .float32
        let device = pieces[0].value.device
        let covered = pieces.reduce(0) { $0 + $1.value.shape[place.axis] }
        let whole =
            covered == place.shape[place.axis]
            ? Tensor.empty(place.shape, dtype: dtype, device: device)
            : Tensor.zeros(place.shape, dtype: dtype, device: device)
        for piece in pieces {
            device.copy(
                piece.value.cast(to: dtype),
                into: whole.narrowed(
                    axis: place.axis, start: piece.placement?.start ?? 0,
                    length: piece.value.shape[place.axis]))
        }
        dense = whole
        isOwned = true
        return whole
    }
}

/// Every node reachable from `root`, each before the nodes of its inputs.
private func topologicalOrder(from root: GradientNode) -> [GradientNode] {
    var order: [GradientNode] = []
    var seen: Set<ObjectIdentifier> = [ObjectIdentifier(root)]
    // Depth-first without recursion: graphs of deep networks are longer than a thread's stack.
    var stack: [(node: GradientNode, next: Int)] = [(root, 0)]
    while let top = stack.last {
        if top.next < top.node.inputs.count {
            stack[stack.count - 1].next += 1
            if let input = top.node.inputs[top.next],
                seen.insert(ObjectIdentifier(input)).inserted
            {
                stack.append((input, 0))
            }
        } else {
            order.append(top.node)
            stack.removeLast()
        }
    }
    return order.reversed()
}
