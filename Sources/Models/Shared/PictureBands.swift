// Rows of large feature maps, and group statistics gathered from them.
// SPDX-License-Identifier: Apache-2.0
import Core

/// How a large feature map is cut into horizontal bands.
struct PictureBands {
    /// Consecutive rows; together all of the map's.
    let ranges: [Range<Int>]
    private let height: Int

    /// - Parameters:
    ///   - shape: [B, C, H, W].
    ///   - byteCount: what one band should take, about; a band has four rows at least.
    init(of shape: [Int], byteCount: Int) {
        height = shape[2]
        let rows = max(4, byteCount / max(1, 4 * shape[0] * shape[1] * shape[3]))
        var ranges: [Range<Int>] = []
        var start = 0
        while start < height {
            // A rest of one or two rows would end inside the border that its neighbour reads.
            let end = height - (start + rows) <= 2 ? height : start + rows
            ranges.append(start..<end)
            start = end
        }
        self.ranges = ranges
    }

    /// Zeros around a band of a 3×3 convolution: above and below only at the map's own border.
    func padding(_ band: Range<Int>) -> Padding2D {
        Padding2D(
            top: band.lowerBound == 0 ? 1 : 0, bottom: band.upperBound == height ? 1 : 0, left: 1,
            right: 1)
    }

    /// A band and up to so many rows beyond its lower edge.
    func reaching(_ band: Range<Int>, below rows: Int) -> Range<Int> {
        band.lowerBound..<min(height, band.upperBound + rows)
    }
}

/// Mean and variance of every group of channels, from the bands of a map.
struct GroupMoments {
    private let groups: Int
    private var count = 0
    /// Per picture and group: Σ over bands of n·mean, and of n·(variance + mean²).
    private var sums: [(first: Double, second: Double)] = []

    init(groups: Int) { self.groups = groups }

    /// - Parameter band: [B, C, rows, W].
    mutating func add(_ band: Tensor) {
        let (batch, length) = (band.shape[0], band.count / (band.shape[0] * groups))
        let rows = band.reshaped([batch * groups, length])
        let mean = rows.mean(axes: [1], keepDimensions: true)
        let variance = (rows - mean).square().mean(axes: [1]).floats()
        if sums.isEmpty { sums = Array(repeating: (0, 0), count: batch * groups) }
        for (i, mean) in mean.floats().enumerated() {
            let mean = Double(mean)
            sums[i].first += Double(length) * mean
            sums[i].second += Double(length) * (Double(variance[i]) + mean * mean)
        }
        count += length
    }

    /// The norm of these moments as one map a channel, x·scale + shift; [B, C] each.
    func map(_ norm: GroupNorm) -> (scale: Tensor, shift: Tensor) {
        let (weight, bias) = (norm.weight.value.floats(), norm.bias.value.floats())
        let batch = sums.count / groups
        let share = weight.count / groups
        var (scale, shift) = ([Float](), [Float]())
        for picture in 0..<batch {
            for channel in weight.indices {
                let sum = sums[picture * groups + channel / share]
                let mean = sum.first / Double(count)
                let variance = max(0, sum.second / Double(count) - mean * mean)
                let factor =
                    Double(weight[channel]) / (variance + Double(norm.epsilon)).squareRoot()
                scale.append(Float(factor))
                shift.append(Float(Double(bias[channel]) - mean * factor))
            }
        }
        let shape = [batch, weight.count]
        return (Tensor(scale, shape: shape), Tensor(shift, shape: shape))
    }
}
