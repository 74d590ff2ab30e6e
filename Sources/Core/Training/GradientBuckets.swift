// How many gradients lie in few buffers. SPDX-License-Identifier: Apache-2.0

/// Places of tensors in a few flat buffers, so that they travel in few messages.
package struct GradientBuckets: Equatable {
    package struct Place: Equatable {
        package var bucket: Int
        /// First element.
        package var start: Int
    }

    /// One a tensor, in their order.
    package let places: [Place]
    /// Elements of every buffer.
    package let sizes: [Int]

    /// Elements that every tensor's start is a whole multiple of: 16 bytes.
    package static let alignment = 4

    /// - Parameters:
    ///   - counts: elements of every tensor.
    ///   - capacity: elements after which a buffer is full; only a tensor larger than that makes a
    ///     larger one.
    package init(counts: [Int], capacity: Int = 16 << 20) {
        var (places, sizes): ([Place], [Int]) = ([], [])
        for count in counts {
            let room = (count + Self.alignment - 1) / Self.alignment * Self.alignment
            if let last = sizes.last, last + room <= capacity {
                places.append(Place(bucket: sizes.count - 1, start: last))
                sizes[sizes.count - 1] = last + room
            } else {
                places.append(Place(bucket: sizes.count, start: 0))
                sizes.append(room)
            }
        }
        self.places = places
        self.sizes = sizes
    }
}
