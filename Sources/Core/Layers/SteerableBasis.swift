// The exact basis of SO(2)-steerable filters between scalar and vector fields.
// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Every filter K×K from fields of one frequency to fields of another that turns with the picture,
/// sampled: rings of a Gaussian radial profile times a circular harmonic.
///
/// Source: Weiler & Cesa, "General E(2)-Equivariant Steerable CNNs", arXiv 1911.08251, appendix;
/// rings, widths and frequency limits as in e2cnn 0.2.3.
public struct SteerableBasis: Sendable {
    /// One basis filter.
    public struct Element: Sendable, Equatable {
        /// Radius of the ring in pixels.
        public var radius: Double
        /// Width of the ring.
        public var sigma: Double
        /// μ of the harmonic.
        public var frequency: Int
        /// Phase γ of the harmonic: 0 or π/2.
        public var phase: Double
        /// Whether the second column is mirrored, which goes with frequency m + n; between vectors only.
        public var isMirrored: Bool
    }

    /// The filters in order: rings, then phases, then mirroring.
    public let elements: [Element]
    /// [elements, output size, input size, K, K], row-major, each of unit energy per output channel.
    public let values: [Float]

    /// - Parameters:
    ///   - kernel: side K in pixels, odd.
    ///   - input: frequency of the input fields, 0 (scalars) or 1 (vectors).
    ///   - output: frequency of the output fields.
    public init(kernel: Int, input: Int, output: Int) {
        precondition(kernel > 0 && kernel % 2 == 1, "a steerable filter of side \(kernel)")
        precondition((0...1).contains(input) && (0...1).contains(output), "\(input) to \(output)")
        var elements: [Element] = []
        var values: [Float] = []
        for ring in 0..<((kernel + 1) / 2) {
            for element in Self.angular(ring, kernel: kernel, input: input, output: output) {
                let filter = Self.sampled(element, kernel: kernel, input: input, output: output)
                let energy = filter.reduce(0) { $0 + $1 * $1 } / Double(output + 1)
                guard energy * Double(output + 1) > 1e-2 else { continue }
                elements.append(element)
                values += filter.map { Float($0 / energy.squareRoot()) }
            }
        }
        self.elements = elements
        self.values = values
    }

    /// The elements of a ring that the grid can carry.
    private static func angular(
        _ ring: Int, kernel: Int, input: Int, output: Int
    ) -> [Element] {
        let last = kernel / 2
        let sigma = ring == 0 ? 0.005 : ring == last ? 0.4 : 0.6
        let cap = ring == last ? 2 : 2 * ring - (ring + 1) % 2
        let limit = ring == 0 ? 0 : min(2 * ring, cap)
        let phases: [Double] = input == 0 && output == 0 ? [0] : [0, .pi / 2]
        let mirrored = input == 1 && output == 1 ? [false, true] : [false]
        return phases.flatMap { phase in
            mirrored.map { isMirrored in
                Element(
                    radius: Double(ring), sigma: sigma,
                    frequency: isMirrored ? output + input : abs(output - input), phase: phase,
                    isMirrored: isMirrored)
            }
        }.filter { $0.frequency <= limit }
    }

    /// [output size, input size, K, K].
    private static func sampled(
        _ element: Element, kernel: Int, input: Int, output: Int
    ) -> [Double] {
        let centre = Double(kernel - 1) / 2
        let taps = kernel * kernel
        var filter = [Double](repeating: 0, count: (output + 1) * (input + 1) * taps)
        for tap in 0..<taps {
            let (x, y) = (Double(tap % kernel) - centre, centre - Double(tap / kernel))
            let r = (x * x + y * y).squareRoot()
            let isOrigin = r < 1e-9
            if isOrigin && element.frequency != 0 { continue }
            let distance = r - element.radius
            let radial = exp(-distance * distance / (2 * element.sigma * element.sigma))
            let t = Double(element.frequency) * (isOrigin ? 0 : atan2(y, x)) + element.phase
            let mirror: Double = element.isMirrored ? -1 : 1
            let entries: [Double] =
                switch (input, output) {
                case (0, 0): [cos(t)]
                case (1, 1): [cos(t), -mirror * sin(t), sin(t), mirror * cos(t)]
                default: [cos(t), sin(t)]
                }
            for (place, entry) in entries.enumerated() {
                filter[place * taps + tap] = radial * entry
            }
        }
        return filter
    }
}
