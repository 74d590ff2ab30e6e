// Feature maps as rows of pixels and back, in either layout. SPDX-License-Identifier: Apache-2.0
import Core
import Testing

@Suite struct FeatureMapTests {
    /// Element (b, c, y, x) of [2, 3, 4, 5] as one number.
    private static let values = (0..<120).map { Float($0) }

    @Test func pixelsOfPlanesAreVectorsOfChannels() {
        let map = Tensor(Self.values, shape: [2, 3, 4, 5])
        let rows = map.pixelRows
        #expect(rows.shape == [2, 20, 3])
        let found = rows.contiguous().floats()
        for b in 0..<2 {
            for p in 0..<20 {
                for c in 0..<3 {
                    #expect(found[(b * 20 + p) * 3 + c] == Self.values[(b * 3 + c) * 20 + p])
                }
            }
        }
        let back = rows.contiguous().featureMap(height: 4, width: 5)
        #expect(back.shape == map.shape && back.contiguous().floats() == Self.values)
    }

    @Test func mapsWithChannelsLastAreViews() {
        let memory = Tensor(Self.values, shape: [2, 4, 5, 3]).cast(to: .bfloat16)
        let map = memory.permuted([0, 3, 1, 2])
        let rows = map.pixelRows
        #expect(rows.storage === memory.storage && rows.isContiguous)
        #expect(rows.cast(to: .float32).floats() == Self.values)
    }
}
