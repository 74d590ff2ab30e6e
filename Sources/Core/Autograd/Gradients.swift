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
                guard let gradient = accumulators.removeValue(forKey: id)?.total() else { continue }
                guard let backward = node.backward else {
                    values[id] = gradient
                    leaves.append(node)
                    continue
                }
                for (input, contribution) in zip(node.inputs, backward(gradient)) {
                    guard let input, let contribution else { continue }
                    let inputID = ObjectIdentifier(input)
                    if accumulators[inputID] == nil {
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
private struct Accumulator {
    private var tensor: Tensor
    // A tensor that came from a backward closure may be shared with another node.
    private var isOwned: Bool

    init(_ first: Gradient) {
        if let placement = first.placement {
            tensor = Tensor.zeros(placement.shape, device: first.value.device)
            isOwned = true
            let part = tensor.narrowed(
                axis: placement.axis, start: placement.start,
                length: first.value.shape[placement.axis])
            tensor.device.copy(first.value, into: part)
        } else {
            tensor = first.value
            isOwned = false
        }
    }

    mutating func add(_ next: Gradient) {
        if !isOwned {
            let copy = Tensor.empty(tensor.shape, device: tensor.device)
            tensor.device.copy(tensor, into: copy)
            tensor = copy
            isOwned = true
        }
        var target = tensor
        if let placement = next.placement {
            target = tensor.narrowed(
                axis: placement.axis, start: placement.start,
                length: next.value.shape[placement.axis])
        }
        tensor.device.add(next.value, into: target)
    }

    func total() -> Tensor { tensor }
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
