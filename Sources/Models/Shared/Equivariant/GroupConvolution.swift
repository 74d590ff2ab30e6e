// Regular group convolutions: from the plane to the group, and on the group.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Convolution with all moved copies of its filters.
///
/// A map on the plane is [B, C, Y, X], on the group [B, C, H, Y, X]. Lifting turns the first into the
/// second; a group convolution sums over the group too and weighs the sum by the Haar measure.
/// Exact: turning the input by a quarter turns the output and moves it by one along H.
///
/// Checkpoint keys: `weight` [Cout, Cin, K, K], or [Cout, Cin, H, K, K]. New weights are uniform in
/// ±1/√(Cin·K²). No bias. Source: Cohen & Welling, arXiv 1602.07576.
public final class GroupConvolution: @unchecked Sendable {
    public let group: PlanarGroup
    public let outputs: Int
    public let inputs: Int
    /// Whether the input lives on the plane.
    public let isLifting: Bool
    public let kernel: Int
    public let padding: Int
    public let weight: Parameter
    private let stack: GroupStack
    private let lock = NSLock()
    private var cached: (weight: Storage, filters: Tensor)?

    /// Makes or takes the parameters of a scope.
    public init(
        _ scope: ParameterScope, group: PlanarGroup, inputs: Int, outputs: Int, kernel: Int,
        isLifting: Bool = false, padding: Int = 0
    ) {
        self.group = group
        self.inputs = inputs
        self.outputs = outputs
        self.isLifting = isLifting
        self.kernel = kernel
        self.padding = padding
        let middle = isLifting ? [] : [group.order]
        weight = scope.parameter(
            "weight", shape: [outputs, inputs] + middle + [kernel, kernel],
            initializer: .uniform(bound: 1 / Float(inputs * kernel * kernel).squareRoot()))
        stack = GroupStack(
            group, inputGroup: isLifting ? 1 : group.order, kernel: kernel, device: scope.device)
    }

    /// All moved filters [H, Cout, Cin, inputGroup, K, K]; kept while the weights are not trained.
    public func filters() -> Tensor {
        let shape = [
            group.order, outputs, inputs, isLifting ? 1 : group.order, kernel, kernel,
        ]
        if weight.isTrainable { return stack(weight.tensor).reshaped(shape) }
        let value = weight.value
        return lock.withLock {
            if let cached, cached.weight === value.storage { return cached.filters }
            let filters = stack(value).reshaped(shape).contiguous()
            cached = (value.storage, filters)
            return filters
        }
    }

    /// What the responses are multiplied with.
    var scale: Float { isLifting ? 1 : group.haarWeight }

    /// [B, Cin, (H,) Y, X] → [B, Cout, H, Y′, X′].
    public func callAsFunction(_ x: Tensor) -> Tensor {
        let (height, width) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        let channels = inputs * (isLifting ? 1 : group.order)
        let y = convolution2D(
            x.reshaped([x.shape[0], channels, height, width]),
            weight: filters().reshaped([group.order * outputs, channels, kernel, kernel]),
            padding: .same(padding))
        let onGroup = y.reshaped(
            [x.shape[0], group.order, outputs, y.shape[2], y.shape[3]]
        ).transposed(1, 2).contiguous()
        return isLifting ? onGroup : onGroup * scale
    }

    /// The responses before they are summed over input channels and group elements, unweighted:
    /// [B, Cout, H, Cin, inputGroup, Y′, X′].
    ///
    /// - Complexity: Cin·inputGroup times the memory of the sum.
    func separateResponses(_ x: Tensor) -> Tensor {
        let (height, width) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        let channels = inputs * (isLifting ? 1 : group.order)
        let filters = filters().reshaped([group.order * outputs, channels, kernel * kernel])
            .transposed(0, 1)
            .reshaped([channels * group.order * outputs, 1, kernel, kernel])
        let y = convolution2D(
            x.reshaped([x.shape[0], channels, height, width]), weight: filters,
            padding: .same(padding), groups: channels)
        return y.reshaped(
            [
                x.shape[0], inputs, channels / inputs, group.order, outputs, y.shape[2],
                y.shape[3],
            ]
        ).permuted([0, 4, 3, 1, 2, 5, 6]).contiguous()
    }
}
