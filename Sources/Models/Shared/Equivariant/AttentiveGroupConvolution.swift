// Group convolutions that attend: over channels, group elements and positions.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Where a group convolution's attention looks.
public enum GroupAttention: String, Sendable, Codable, CaseIterable {
    /// Nowhere: the plain convolution.
    case none
    /// αF: at the feature map before the convolution.
    case featureMap
    /// α: at every pair of input and output channel and group element; Cin times the memory.
    case full
}

/// A group convolution with equivariant attention in front of or inside it.
///
///     αF   y = conv(x − A_sp · A_ch · x)
///     α    y = Σ over input channels and elements of (r − A_sp · A_ch · r), r the separate responses
///
/// The maps are group convolutions themselves, so that equivariance stays exact. With maps of 0 it
/// is the plain convolution.
///
/// Checkpoint keys: `weight`, `channel_attention.weight_fc1`, `channel_attention.weight_fc2`,
/// `spatial_attention.weight`. Source: Romero, Bekkers, Tomczak, Hoogendoorn, "Attentive group
/// equivariant convolutional networks", arXiv 2002.03830, and its published code.
public final class AttentiveGroupConvolution: Sendable {
    public let convolution: GroupConvolution
    public let attention: GroupAttention
    private let first: Parameter?
    private let second: Parameter?
    private let spatial: Parameter?
    private let channelStack: GroupStack
    private let spatialStack: GroupStack
    /// Width of the channel attention's middle.
    private let middle: Int
    private static let window = 7

    /// The two attention maps of a call.
    public struct Maps: Sendable {
        /// αF: [B, Cin, inputGroup, 1, 1]; α: [B, Cout, H, Cin, inputGroup, 1, 1].
        public var channel: Tensor
        /// αF: [B, 1, inputGroup, Y, X]; α: [B, Cout, H, 1, inputGroup, Y, X].
        public var spatial: Tensor
    }

    /// Makes or takes the parameters of a scope.
    ///
    /// - Parameter reduction: r of the channel attention; 1 in the lifting layer.
    public init(
        _ scope: ParameterScope, group: PlanarGroup, attention: GroupAttention, inputs: Int,
        outputs: Int, kernel: Int, isLifting: Bool = false, reduction: Int = 2
    ) {
        self.attention = attention
        convolution = GroupConvolution(
            scope, group: group, inputs: inputs, outputs: outputs, kernel: kernel,
            isLifting: isLifting)
        let inner = isLifting ? 1 : group.order
        middle = max(1, inputs / (isLifting ? 1 : reduction))
        channelStack = GroupStack(group, inputGroup: inner, kernel: 1, device: scope.device)
        spatialStack = GroupStack(
            group, inputGroup: inner, kernel: Self.window, device: scope.device)
        guard attention != .none else {
            (first, second, spatial) = (nil, nil, nil)
            return
        }
        let lead = attention == .full ? [outputs] : []
        let tail = isLifting ? [] : [group.order]
        func make(_ name: String, _ shape: [Int], fan: Int) -> Parameter {
            scope.parameter(
                name, shape: shape, initializer: .uniform(bound: 1 / Float(fan).squareRoot()))
        }
        first = make(
            "channel_attention.weight_fc1", lead + [middle, inputs] + tail, fan: inputs)
        second = make(
            "channel_attention.weight_fc2", lead + [inputs, middle] + tail, fan: middle)
        spatial = make(
            "spatial_attention.weight",
            (attention == .full ? [outputs, 2] : [1, 2]) + tail + [Self.window, Self.window],
            fan: 2 * Self.window * Self.window)
    }

    /// [B, Cin, (H,) Y, X] → [B, Cout, H, Y′, X′].
    ///
    /// - Parameter observe: gets the maps.
    public func callAsFunction(_ x: Tensor, observe: ((Maps) -> Void)? = nil) -> Tensor {
        guard let first, let second, let spatial else { return convolution(x) }
        if attention == .featureMap {
            let input = convolution.isLifting ? x.unsqueezed(2) : x
            let channel = channelMap(of: input, first.tensor, second.tensor)
            let attended = input * channel
            let map = spatialMap(of: attended, spatial.tensor)
            observe?(Maps(channel: channel, spatial: map))
            return convolution((input - attended * map).reshaped(x.shape))
        }
        let responses = convolution.separateResponses(x)
        let channel = fullChannelMap(of: responses, first.tensor, second.tensor)
        let attended = responses * channel
        let map = fullSpatialMap(of: attended, spatial.tensor)
        observe?(Maps(channel: channel, spatial: map))
        let sum = (responses - attended * map).sum(axes: [3, 4])
        return convolution.isLifting ? sum : sum * convolution.scale
    }

    /// Mean and largest value over the pixels of [N…, Y, X], each [N…].
    private func pixelStatistics(_ x: Tensor) -> [Tensor] {
        let lead = Array(x.shape.dropLast(2))
        let flat = x.reshaped([lead.reduce(1, *), x.shape[x.rank - 2] * x.shape[x.rank - 1]])
        return [flat.mean(axes: [1]).reshaped(lead), flat.max(axis: 1).reshaped(lead)]
    }

    // MARK: αF

    /// x [B, C, G, Y, X] → [B, C, G, 1, 1].
    private func channelMap(of x: Tensor, _ first: Tensor, _ second: Tensor) -> Tensor {
        let (batch, inner) = (x.shape[0], x.shape[2])
        // Rows (element, output channel) against columns (input channel, element).
        func layer(_ s: Tensor, _ weight: Tensor, _ outputs: Int, _ inputs: Int) -> Tensor {
            let all = channelStack(weight).reshaped(
                [convolution.group.order * outputs, inputs * inner])
            let used = inner == 1 ? all.narrowed(axis: 0, start: 0, length: outputs) : all
            return linear(s.reshaped([batch, inputs * inner]), used.contiguous(), nil)
                .reshaped([batch, inner, outputs]).transposed(1, 2).contiguous()
        }
        let (c, m) = (x.shape[1], middle)
        let parts = pixelStatistics(x).map {
            layer(layer($0, first, m, c).relu(), second, c, m)
        }
        return (parts[0] + parts[1]).sigmoid().reshaped([batch, c, inner, 1, 1])
    }

    /// x [B, C, G, Y, X] → [B, 1, G, Y, X].
    private func spatialMap(of x: Tensor, _ weight: Tensor) -> Tensor {
        let (batch, inner) = (x.shape[0], x.shape[2])
        let statistics = Tensor.stacked([x.mean(axes: [1]), x.max(axis: 1)], axis: 1)
        let order = convolution.group.order
        let window = Self.window
        let y = convolution2D(
            statistics.reshaped([batch, 2 * inner, x.shape[3], x.shape[4]]),
            weight: spatialStack(weight).reshaped([order, 2 * inner, window, window]),
            padding: .same(window / 2))
        // The plain layer's measure counts on the group; on the plane the largest element does.
        let map = inner == 1 ? y.max(axis: 1) : y * convolution.group.haarWeight
        return map.sigmoid().reshaped([batch, 1, inner, x.shape[3], x.shape[4]])
    }

    // MARK: α

    /// r [B, O, H, C, G, Y, X] → [B, O, H, C, G, 1, 1]; channels are mixed at each element alone.
    private func fullChannelMap(of r: Tensor, _ first: Tensor, _ second: Tensor) -> Tensor {
        let s = r.shape
        let (batch, outputs, order, c, inner) = (s[0], s[1], s[2], s[3], s[4])
        // [O, H, G, out, in] · [O, H, G, in, B].
        func layer(_ x: Tensor, _ weight: Tensor, _ outs: Int, _ ins: Int) -> Tensor {
            let all = channelStack(weight).reshaped([order, outputs, outs, ins, inner])
                .permuted([1, 0, 4, 2, 3]).contiguous()
            return matmul(all, x)
        }
        let parts = pixelStatistics(r).map { statistic -> Tensor in
            let x = statistic.permuted([1, 2, 4, 3, 0]).contiguous()
            return layer(layer(x, first, middle, c).relu(), second, c, middle)
        }
        return (parts[0] + parts[1]).sigmoid().permuted([4, 0, 1, 3, 2]).contiguous()
            .reshaped([batch, outputs, order, c, inner, 1, 1])
    }

    /// r [B, O, H, C, G, Y, X] → [B, O, H, 1, G, Y, X]; one window for each of O, H, G and statistic.
    private func fullSpatialMap(of r: Tensor, _ weight: Tensor) -> Tensor {
        let s = r.shape
        let (batch, outputs, order, inner) = (s[0], s[1], s[2], s[4])
        let window = Self.window
        // [B, O, H, G, 2, Y, X]: the two statistics of one place are one group of the convolution.
        let statistics = Tensor.stacked([r.mean(axes: [3]), r.max(axis: 3)], axis: 4)
        let groups = outputs * order * inner
        let filters = spatialStack(weight).reshaped([order, outputs, 2, inner, window, window])
            .permuted([1, 0, 3, 2, 4, 5]).contiguous()
            .reshaped([groups, 2, window, window])
        let y = convolution2D(
            statistics.reshaped([batch, groups * 2, s[5], s[6]]), weight: filters,
            padding: .same(window / 2), groups: groups)
        return y.sigmoid().reshaped([batch, outputs, order, 1, inner, s[5], s[6]])
    }
}
