// Pictures laid over each other: turned back, made small, compared.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Comparisons of pictures in a quarter of their pixels, which tell as much as all of them.
enum SmallPictures {
    /// Means of 2×2 pixels.
    private static let block = 2
    /// Degrees between the angles that a registration tries; a parabola finds what is between.
    private static let step = 10
    private static let angles = stride(from: -180, to: 180, by: step).map(Double.init)

    /// Rows of the pictures, padded to whole vectors of eight.
    static func rows(_ images: GreyImages) -> FeatureMatrix {
        let side = images.side / block
        let width = (side * side + 7) / 8 * 8
        var values = [Float](repeating: 0, count: images.count * width)
        images.pixels.withUnsafeBufferPointer { pixels in
            for i in 0..<images.count {
                let plane = i * images.side * images.side
                for y in 0..<side {
                    for x in 0..<side {
                        let at = plane + block * (y * images.side + x)
                        values[i * width + y * side + x] =
                            0.25
                            * (pixels[at] + pixels[at + 1] + pixels[at + images.side]
                                + pixels[at + images.side + 1])
                    }
                }
            }
        }
        return FeatureMatrix(width: width, values: values)
    }

    /// Pictures turned back by poses.
    static func turnedBack(_ images: GreyImages, by poses: [Rotation2]) -> FeatureMatrix {
        rows(images.rotated(by: poses.map { Float(-$0.degrees) }))
    }

    // MARK: Ranking

    /// The k candidates of every row whose pictures are nearest; equal distances keep the order.
    static func ranked(
        _ candidates: NeighbourTable, k: Int, pictures: FeatureMatrix, among bank: FeatureMatrix,
        cancellation: Cancellation
    ) throws -> [[Int32]] {
        let width = bank.width
        let k = min(k, candidates.k)
        var best = [Int32](repeating: 0, count: candidates.count * k)
        best.withUnsafeMutableBufferPointer { best in
            let sink = Shared(pointer: best.baseAddress)
            compare(pictures, bank, blocks: 64, cancellation) { row, queries, references in
                guard let sink = sink.pointer else { return }
                let order = candidates[row].enumerated().map { place, other in
                    Ranked(
                        distance: squaredDistance(
                            queries + row * width, references + Int(other) * width, width),
                        place: place, index: other)
                }.sorted()
                for (place, one) in order.prefix(k).enumerated() {
                    sink[row * k + place] = one.index
                }
            }
        }
        try cancellation.check()
        return (0..<candidates.count).map { Array(best[($0 * k)..<($0 * k + k)]) }
    }

    private struct Ranked: Comparable {
        var distance: Float
        var place: Int
        var index: Int32

        static func < (a: Ranked, b: Ranked) -> Bool {
            (a.distance, a.place) < (b.distance, b.place)
        }
    }

    // MARK: Registration

    /// By how much more every picture must be turned back to lie closest to its candidates.
    ///
    /// For angles all around, the distances to the nearest few of the candidates are averaged; the
    /// least average wins, and a parabola through its neighbours gives the fraction of a step.
    ///
    /// - Parameters:
    ///   - poses: what the pictures are turned back by before.
    ///   - bank: the candidates' pictures, turned back.
    static func registration(
        of images: GreyImages, from poses: [Rotation2], to bank: FeatureMatrix,
        candidates: NeighbourTable, settings: RefinedRECON.Settings, cancellation: Cancellation
    ) throws -> [Rotation2] {
        var shifts: [Rotation2] = []
        shifts.reserveCapacity(images.count)
        let plane = images.side * images.side
        // 64 pictures at a time, for each is looked at under 36 angles.
        for start in stride(from: 0, to: images.count, by: 64) {
            try cancellation.check()
            let range = start..<min(start + 64, images.count)
            var pixels: [Float] = []
            pixels.reserveCapacity(range.count * plane * angles.count)
            var turns: [Rotation2] = []
            for i in range {
                for angle in angles {
                    pixels += images.pixels[(i * plane)..<((i + 1) * plane)]
                    turns.append(poses[i] * Rotation2(degrees: angle))
                }
            }
            let turned = turnedBack(
                GreyImages(
                    side: images.side, pixels: pixels,
                    labels: [Int](repeating: -1, count: turns.count)), by: turns)
            let costs = costs(
                turned, bank, candidates: candidates, first: start, settings, cancellation)
            for row in range.indices.map({ $0 - start }) {
                let own = Array(costs[(row * angles.count)..<((row + 1) * angles.count)])
                shifts.append(Rotation2(degrees: least(own)))
            }
        }
        return shifts
    }

    /// For every picture and angle the mean distance to its closest references.
    private static func costs(
        _ turned: FeatureMatrix, _ bank: FeatureMatrix, candidates: NeighbourTable, first: Int,
        _ settings: RefinedRECON.Settings, _ cancellation: Cancellation
    ) -> [Float] {
        let width = bank.width
        var costs = [Float](repeating: 0, count: turned.count)
        costs.withUnsafeMutableBufferPointer { costs in
            let sink = Shared(pointer: costs.baseAddress)
            compare(turned, bank, blocks: angles.count, cancellation) { row, queries, references in
                guard let sink = sink.pointer else { return }
                let own = candidates[first + row / angles.count].prefix(settings.references)
                let closest = min(settings.closest, own.count)
                // The few least in ascending order, by insertion.
                var least = [Float](repeating: .infinity, count: closest)
                for other in own {
                    let d = squaredDistance(
                        queries + row * width, references + Int(other) * width, width)
                    guard d < least[closest - 1] else { continue }
                    var place = closest - 1
                    while place > 0, least[place - 1] > d {
                        least[place] = least[place - 1]
                        place -= 1
                    }
                    least[place] = d
                }
                sink[row] = least.reduce(0, +) / Float(closest)
            }
        }
        return costs
    }

    /// The angle of the least cost on the circle.
    static func least(_ costs: [Float]) -> Double {
        let count = costs.count
        guard let best = costs.indices.min(by: { costs[$0] < costs[$1] }) else { return 0 }
        let (low, middle, high) = (
            Double(costs[(best + count - 1) % count]), Double(costs[best]),
            Double(costs[(best + 1) % count])
        )
        let bend = low - 2 * middle + high
        let fraction = bend > 1e-9 ? max(-0.5, min(0.5, 0.5 * (low - high) / bend)) : 0
        return angles[best] + fraction * Double(step)
    }

    // MARK: Loops

    /// Calls a body for every row of the queries, on all cores, rows of a block in order.
    private static func compare(
        _ queries: FeatureMatrix, _ bank: FeatureMatrix, blocks: Int, _ cancellation: Cancellation,
        _ body: @escaping @Sendable (Int, UnsafePointer<Float>, UnsafePointer<Float>) -> Void
    ) {
        queries.values.withUnsafeBufferPointer { own in
            bank.values.withUnsafeBufferPointer { others in
                let (own, others) = (
                    Shared(pointer: own.baseAddress), Shared(pointer: others.baseAddress)
                )
                let rows = queries.count
                DispatchQueue.concurrentPerform(iterations: (rows + blocks - 1) / blocks) { block in
                    guard !cancellation.isCancelled, let own = own.pointer,
                        let others = others.pointer
                    else { return }
                    for row in (blocks * block)..<min(rows, blocks * (block + 1)) {
                        body(row, own, others)
                    }
                }
            }
        }
    }

    /// Rows of different blocks never overlap.
    private struct Shared<Pointer>: @unchecked Sendable {
        var pointer: Pointer?
    }

    /// - Parameter width: a multiple of eight.
    private static func squaredDistance(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ width: Int
    ) -> Float {
        var sum = SIMD8<Float>.zero
        let (x, y) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
        for offset in stride(from: 0, to: 4 * width, by: 32) {
            let d =
                x.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
                - y.loadUnaligned(fromByteOffset: offset, as: SIMD8<Float>.self)
            sum += d * d
        }
        return sum.sum()
    }
}
