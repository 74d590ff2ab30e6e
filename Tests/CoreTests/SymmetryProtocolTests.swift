// Poses, laws, charts and reports of symmetry against closed forms.
// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Core

@Suite("Symmetry values")
struct SymmetryProtocolTests {
    @Test("Wrapped angles lie in −180 < a ≤ 180 and differ by whole turns")
    func wrap() {
        for degrees in stride(from: -1000.0, through: 1000, by: 7.5) {
            let a = SymmetryPose.wrap(degrees)
            #expect(a > -180 && a <= 180)
            let turns = (degrees - a) / 360
            #expect(abs(turns - turns.rounded()) < 1e-9)
        }
        #expect(SymmetryPose.wrap(180) == 180)
        #expect(SymmetryPose.wrap(-180) == 180)
    }

    @Test("A rotation gives back its axis and angle, to the edges of both")
    func axisAngle() {
        let axes = [SIMD3(1.0, 0, 0), SIMD3(0, -2, 0), SIMD3(1, 2, 3), SIMD3(-1, 0.5, 0.01)]
        for axis in axes {
            let unit = axis / (axis * axis).sum().squareRoot()
            for degrees in [0.001, 1, 37, 90, 179, 179.9999] {
                let r = SpaceRotation(axis: axis, degrees: degrees)
                #expect(abs(r.degrees - degrees) < 1e-6)
                if degrees > 0.01 {
                    let difference = r.axis - unit
                    #expect((difference * difference).sum() < 1e-8)
                }
                let back = (r * r.inverse).degrees
                #expect(back < 1e-6)
            }
            let half = SpaceRotation(axis: axis, degrees: 180)
            let n = half.axis
            #expect(abs(abs((n * unit).sum()) - 1) < 1e-9)
            #expect(abs(half.degrees - 180) < 1e-6)
        }
        // A quarter turn about z takes x to y: counter-clockwise.
        let image = SpaceRotation(axis: SIMD3(0, 0, 1), degrees: 90).applied(to: SIMD3(1, 0, 0))
        #expect(abs(image.y - 1) < 1e-12)
    }

    @Test("Every density integrates to one over its axis")
    func densities() {
        func integral(_ range: ClosedRange<Double>, _ f: (Double) -> Double) -> Double {
            let n = 20_000
            let step = (range.upperBound - range.lowerBound) / Double(n)
            return (0..<n).reduce(0) {
                $0 + step * f(range.lowerBound + (Double($1) + 0.5) * step)
            }
        }
        let bump = (0..<360).map { i in exp(-pow(Double(i - 200) / 20, 2)) }
        let sum = bump.reduce(0, +)
        let empirical = SymmetryLaw.empirical(density: bump.map { $0 / sum }, bandwidth: 5)
        let plane: [SymmetryLaw] = [
            .uniform(halfWidth: 60), .uniform(halfWidth: 180), .gaussian(sigma: 20),
            .gaussian(sigma: 150), empirical,
        ]
        for law in plane {
            #expect(abs(integral(-180...180) { law.density(atAngle: $0) } - 1) < 2e-3, "\(law)")
        }
        let space: [SymmetryLaw] = [
            .gaussian(sigma: 20), .haar, .axial(axis: SIMD3(0, 0, 1), halfWidth: 30),
            .uniform(halfWidth: 90),
        ]
        for law in space {
            let value = integral(0...180) { law.density(atRotationAngle: $0) }
            #expect(abs(value - 1) < 2e-3, "\(law)")
        }
        // The mean angle of Haar's law is π/2 + 2/π.
        let mean = integral(0...180) { $0 * SymmetryLaw.haar.density(atRotationAngle: $0) }
        #expect(abs(mean - (Double.pi / 2 + 2 / Double.pi) * 180 / .pi) < 0.01)
    }

    @Test("Bins hold every pose once, and the law's shares sum to one")
    func histogram() {
        let poses = (0..<720).map { SymmetryPose.angle(Double($0) - 360) }
        for bins in [1, 7, 36, 72] {
            let h = AngularHistogram(poses, group: .so2, bins: bins)
            #expect(h.counts.reduce(0, +) == 720)
            for law: SymmetryLaw in [.uniform(halfWidth: 54), .cyclic(order: 4), .none] {
                let shares = h.expectedShares(of: law, center: 100)
                #expect(abs(shares.reduce(0, +) - 1) < 0.02, "\(law) in \(bins)")
            }
        }
        let even = AngularHistogram(poses, group: .so2, bins: 36)
        #expect(Set(even.counts) == [20])
        #expect(even.bin(containing: 180) == even.bin(containing: -180))
    }

    static func distribution() -> SymmetryDistribution {
        let angles = stride(from: -54.0, through: 54, by: 1).map { SymmetryPose.angle($0) }
        return SymmetryDistribution(
            scope: .neighbours(3), group: .so2, inputs: Array(angles.indices),
            raw: angles.map { $0 * .angle(40) }, corrected: angles,
            fit: SymmetryFit(
                law: .uniform(halfWidth: 54), level: 54, center: .angle(40), concentration: 0.86,
                isFullRotation: false, noiseFloor: 12, spread: 27),
            truth: .uniform(halfWidth: 54))
    }

    @Test("A chart of raw poses turns the laws by the centre")
    func chart() {
        let raw = SymmetryChart(Self.distribution(), corrected: false, bins: 36)
        let corrected = SymmetryChart(Self.distribution(), corrected: true, bins: 36)
        #expect(raw.fitted?.shares.count == 36)
        func middle(_ shares: [Double]) -> Double {
            zip(shares, shares.indices).reduce(0) { $0 + $1.0 * (Double($1.1) * 10 - 175) }
        }
        #expect(abs(middle(raw.fitted?.shares ?? []) - 40) < 1)
        #expect(abs(middle(corrected.fitted?.shares ?? [])) < 1)
        #expect(raw.marks.first?.degrees == 40)
    }

    @Test("Reports parse as what they are")
    func reports() throws {
        let chart = SymmetryChart(Self.distribution(), corrected: true, bins: 12)
        let csv = SymmetryReport.csv(chart).split(separator: "\n")
        #expect(csv.count == 13)
        #expect(csv[0] == "bin_start,bin_end,count,share,fitted,truth")
        #expect(csv.dropFirst().allSatisfy { $0.split(separator: ",").count == 6 })
        let report = SymmetryReport(title: "a \"set\"", settings: SymmetrySettings())
        let text = report.json(Self.distribution(), chart: chart).text
        let parsed = try JSONValue(parsing: text.utf8)
        #expect(parsed["fit"]?["level"] == .number(54) || parsed["fit"]?["level"] == .integer(54))
        let rows = [
            SymmetryRow(
                input: 0, pose: .angle(3), corrected: .angle(1), level: 2, center: nil,
                outsideScore: -1)
        ]
        let table = SymmetryReport.csv(rows, group: .so2, name: { _ in "a,b" }, label: { _ in "7" })
        #expect(table.split(separator: "\n")[1] == "0,\"a,b\",7,3,1,2,,-1,0")
    }

    @Test("Plots show bars where poses are and nothing where none are")
    func plots() {
        let chart = SymmetryChart(Self.distribution(), corrected: true, bins: 36)
        let image = SymmetryPlot.bars(chart, title: "test", width: 480, height: 240)
        #expect(image.width == 480 && image.height == 240)
        let blue = (0..<480).filter { x in
            (100..<200).contains { y in
                let p = image[x, y]
                return p.red < 100 && p.blue > 200
            }
        }
        // ±54° of −180…180 on the axis's pixels.
        #expect((blue.min() ?? 0) > 180 && (blue.max() ?? 480) < 340)
        let rose = SymmetryPlot.rose(chart, title: "test", side: 240)
        #expect(rose.width == 240)
        // 0° is on top: the upper half has bars, the lowest part has none.
        let upper = rose[120, 80]
        let lower = rose[120, 200]
        #expect(upper.red < 150)
        #expect(lower.red > 200)
    }
}
