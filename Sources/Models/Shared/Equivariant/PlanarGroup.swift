// The groups of exact symmetries of the pixel grid, and how they move filters.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Quarter turns, with or without a mirror.
///
/// Elements of p4 are the turns by i·90° counter-clockwise; p4m has these, then the same turns
/// followed by a flip of the rows.
///
/// Source: Cohen & Welling, "Group equivariant convolutional networks", arXiv 1602.07576;
/// conventions of the published code of attentive group convolutions.
public enum PlanarGroup: String, Sendable, Codable, CaseIterable {
    case p4, p4m

    /// H: elements.
    public var order: Int { self == .p4 ? 4 : 8 }

    /// What a sum over the group is weighted with: 2π over the rotations, twice for the mirror.
    public var haarWeight: Float {
        (self == .p4 ? 1 : 2) * 2 * Float.pi / 4
    }

    /// Where element `element` takes the values of a moved function on the group and a K×K grid from.
    ///
    /// - Parameters:
    ///   - group: elements of the function's own axis: 1 (a function on the plane) or the order.
    ///   - kernel: side K.
    /// - Returns: for every (h, row, column) of the moved function its place in the original.
    func sources(element: Int, group: Int, kernel: Int) -> [Int] {
        let turns = element % 4
        let isMirrored = element >= 4
        return (0..<(group * kernel * kernel)).map { place in
            let h = place / (kernel * kernel)
            var (row, column) = (place / kernel % kernel, place % kernel)
            if isMirrored { row = kernel - 1 - row }
            // A counter-clockwise turn reads (column, K − 1 − row).
            for _ in 0..<turns { (row, column) = (column, kernel - 1 - row) }
            return (source(h, turns: turns, isMirrored: isMirrored, group: group) * kernel + row)
                * kernel + column
        }
    }

    /// The element whose slice moves to slice h.
    private func source(_ h: Int, turns: Int, isMirrored: Bool, group: Int) -> Int {
        if group == 1 { return 0 }
        if self == .p4 { return (h - turns + 4) % 4 }
        // Mirrored: the halves are exchanged behind the turn.
        let swapped = isMirrored ? (h + 4) % 8 : h
        let (half, angle) = (swapped / 4, swapped % 4)
        // The mirrored half turns the other way.
        return half * 4 + (half == 0 ? angle - turns + 4 : angle + turns) % 4
    }
}

/// All moved copies of filters, made by one lookup.
struct GroupStack: Sendable {
    private let indices: Tensor
    private let group: PlanarGroup
    private let inputGroup: Int
    private let kernel: Int

    /// - Parameter inputGroup: 1 for filters on the plane, the order for filters on the group.
    init(_ group: PlanarGroup, inputGroup: Int, kernel: Int, device: any Device) {
        self.group = group
        self.inputGroup = inputGroup
        self.kernel = kernel
        let all = (0..<group.order).flatMap {
            group.sources(element: $0, group: inputGroup, kernel: kernel)
        }
        indices = Tensor(int32: all.map(Int32.init), shape: [all.count], device: device)
    }

    /// [H, M, inputGroup, K, K] from M filters [M…, inputGroup, K, K].
    func callAsFunction(_ weight: Tensor) -> Tensor {
        let taps = inputGroup * kernel * kernel
        let filters = weight.count / taps
        let columns = weight.reshaped([filters, taps]).transposed(0, 1).contiguous()
        return embedding(columns, indices: indices)
            .reshaped([group.order, taps, filters]).transposed(1, 2)
            .reshaped([group.order, filters, inputGroup, kernel, kernel])
    }
}
