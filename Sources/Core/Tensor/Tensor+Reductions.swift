// Sums, means and maxima. SPDX-License-Identifier: Apache-2.0

extension Tensor {
    /// The sum over some dimensions, or over all.
    ///
    /// Numerics: partial sums of long rows are held in f64; the order does not depend on threads.
    public func sum(axes: [Int]? = nil, keepDimensions: Bool = false) -> Tensor {
        reduced(axes: axes, keepDimensions: keepDimensions, asMean: false)
    }

    /// The mean over some dimensions, or over all.
    public func mean(axes: [Int]? = nil, keepDimensions: Bool = false) -> Tensor {
        reduced(axes: axes, keepDimensions: keepDimensions, asMean: true)
    }

    /// The largest value along one dimension, which is dropped; its gradient goes to the first one.
    public func max(axis: Int) -> Tensor {
        let axis = resolved(axis)
        let (values, indices) = device.maximum(detached().contiguous(), axis: axis)
        let inputShape = shape
        return recorded(values, inputs: [self]) { dy in
            [.init(dy.device.scatterAlong(axis, dy.contiguous(), at: indices, shape: inputShape))]
        }
    }

    /// The first index of the largest value along one dimension, which is dropped; int32.
    public func argmax(axis: Int) -> Tensor {
        device.maximum(detached().contiguous(), axis: resolved(axis)).indices
    }

    /// Summed down to a shape that broadcasts to this one.
    func summed(to target: [Int]) -> Tensor {
        if shape == target { return self }
        let lead = rank - target.count
        let axes = shape.indices.filter { d in
            d < lead || (target[d - lead] == 1 && shape[d] != 1)
        }
        return sum(axes: axes, keepDimensions: true).reshaped(target)
    }

    private func reduced(axes: [Int]?, keepDimensions: Bool, asMean: Bool) -> Tensor {
        let reducedAxes = Set((axes ?? Array(0..<rank)).map { resolved($0) })
        let kept = shape.indices.filter { !reducedAxes.contains($0) }
        let dropped = shape.indices.filter { reducedAxes.contains($0) }
        let keptShape = kept.map { shape[$0] }
        let withOnes = shape.indices.map { reducedAxes.contains($0) ? 1 : shape[$0] }
        let length = dropped.reduce(1) { $0 * shape[$1] }
        let scale: Float = asMean ? 1 / Float(length) : 1
        // Contiguous runs of reduced dimensions need no rearrangement.
        let value: Tensor
        if let first = dropped.first, dropped == Array(first..<(first + dropped.count)) {
            let outer = shape[..<first].reduce(1, *)
            let inner = shape[(first + dropped.count)...].reduce(1, *)
            value = device.sum(
                detached().contiguous(), outer: outer, length: length, inner: inner, scale: scale)
        } else {
            let rearranged = detached().permuted(kept + dropped).contiguous()
            value = device.sum(
                rearranged, outer: keptShape.reduce(1, *), length: length, inner: 1, scale: scale)
        }
        let result = value.reshaped(keepDimensions ? withOnes : keptShape)
        let inputShape = shape
        return recorded(result, inputs: [self]) { dy in
            let spread = dy.reshaped(withOnes)
            return [.init((asMean ? spread * scale : spread).expanded(to: inputShape))]
        }
    }
}
