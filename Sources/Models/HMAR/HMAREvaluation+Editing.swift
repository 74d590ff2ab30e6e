// Figures of edits: what is kept, what changes, and how well the seam fits.
// SPDX-License-Identifier: Apache-2.0
import Core

extension HMAREvaluation {
    /// Held-out pictures edited for the checks of what is kept and of class edits.
    static let editCases = 200
    /// Held-out pictures edited for the seam's FD-cls.
    static let seamCases = 1000

    /// Edits held-out pictures with boxes, anchor `tokens`, without pasting back.
    func editing() throws -> [ModelCard.Metric] {
        guard model.hmar != nil else { return [] }
        return try inpainting() + classEdits() + seams()
    }

    private var side: Int { model.geometry.imageSize }

    /// Mask steps of edits: two at every scale.
    private var maskSteps: [Int] { model.geometry.patchNums.map { $0 > 1 ? 2 : 0 } }

    private func edit(
        _ source: RGBImage, mask: PixelMask, mode: EditMode, label: Int?, seed: UInt64,
        variant: SamplingVariant = .hmar
    ) throws -> EditResult {
        try model.edit(
            EditRequest(
                source: source, mask: mask, mode: mode, maskSteps: maskSteps,
                sampling: try defaultRequest(variant, label: label, count: 1, seed: seed)),
            control: SamplingControl(cancellation: cancellation))
    }

    /// A box of a share of the side; in the middle without a generator.
    private func box(_ share: Double, _ generator: inout RandomGenerator) -> PixelMask {
        let width = max(1, Int((Double(side) * share).rounded()))
        let left = generator.nextInt(below: side - width + 1)
        let top = generator.nextInt(below: side - width + 1)
        return box(left: left, top: top, width: width)
    }

    private func box(left: Int, top: Int, width: Int) -> PixelMask {
        var mask = PixelMask(width: side, height: side)
        for y in top..<(top + width) {
            for x in left..<(left + width) { mask[x, y] = true }
        }
        return mask
    }

    // MARK: What is kept

    private func inpainting() throws -> [ModelCard.Metric] {
        let count = min(Self.editCases, test.count)
        var generator = RandomGenerator(seed: seed, stream: 0x6564_6974)
        var (keptWhole, different, clear) = (0, 0, 0)
        var (squared, pixels) = (0.0, 0)
        for index in 0..<count {
            progress("inpainting", index, count)
            let source = try test.image(at: index)
            let mask = box(0.5, &generator)
            let first = try edit(
                source, mask: mask, mode: .inpaint, label: nil, seed: seed &+ UInt64(index))
            let second = try edit(
                source, mask: mask, mode: .inpaint, label: nil,
                seed: seed &+ UInt64(index) &+ 1_000_003)
            if Self.keepsTokens(first) && Self.keepsTokens(second) { keptWhole += 1 }
            let open = Self.pixelsOfDilatedCells(first.editable.last ?? [], side: side)
            let (a, b) = (first.sampling.images[0], second.sampling.images[0])
            var sum = 0.0
            var outside = 0
            var isDifferent = false
            for pixel in open.indices {
                for i in (3 * pixel)..<(3 * pixel + 3) {
                    if open[pixel] {
                        if a.pixels[i] != b.pixels[i] { isDifferent = true }
                    } else {
                        let d = Double(a.pixels[i]) - Double(first.reconstruction.pixels[i])
                        sum += d * d
                        outside += 1
                    }
                }
            }
            if isDifferent { different += 1 }
            let psnr = PSNR.decibels(
                meanSquaredError: sum / Double(max(1, outside)), peak: 255)
            if psnr >= 30 { clear += 1 }
            squared += sum
            pixels += outside
        }
        let total = Double(max(1, count))
        return [
            .init(
                name: "editing.kept_tokens_equal", value: 100 * Double(keptWhole) / total,
                unit: "%",
                note: "of \(count) inpaintings of a box of half the side, all scales"),
            .init(
                name: "editing.psnr_outside",
                // A card holds no infinity, which equal pictures would give.
                value: min(
                    100,
                    PSNR.decibels(
                        meanSquaredError: squared / Double(max(1, pixels)), peak: 255)),
                unit: "dB",
                note: "edit against plain reconstruction, outside the mask grown by one cell"),
            .init(
                name: "editing.psnr_outside_at_least_30", value: 100 * Double(clear) / total,
                unit: "%"),
            .init(
                name: "editing.seeds_differ_inside", value: 100 * Double(different) / total,
                unit: "%"),
        ]
    }

    /// Whether every kept cell holds the source's code at every scale.
    static func keepsTokens(_ result: EditResult) -> Bool {
        guard let tokens = result.sampling.tokens.first else { return false }
        return result.editable.indices.allSatisfy { scale in
            result.editable[scale].indices.allSatisfy { cell in
                result.editable[scale][cell]
                    || tokens.scales[scale][cell] == result.sourceTokens.scales[scale][cell]
            }
        }
    }

    /// The pixels under the editable cells of the finest map and their eight neighbours.
    static func pixelsOfDilatedCells(_ cells: [Bool], side: Int) -> [Bool] {
        let grid = Int(Double(cells.count).squareRoot().rounded())
        let cell = max(1, side / max(1, grid))
        return (0..<(side * side)).map { pixel in
            let (row, column) = (pixel / side / cell, pixel % side / cell)
            for y in max(0, row - 1)...max(0, min(grid - 1, row + 1)) {
                for x in max(0, column - 1)...max(0, min(grid - 1, column + 1))
                where cells[y * grid + x] {
                    return true
                }
            }
            return false
        }
    }

    // MARK: Class edits

    private func classEdits() throws -> [ModelCard.Metric] {
        let count = min(Self.editCases, test.count)
        let classes = model.geometry.classes.count
        let width = max(1, side * 5 / 7)
        let mask = box(left: (side - width) / 2, top: (side - width) / 2, width: width)
        var generator = RandomGenerator(seed: seed, stream: 0x636C_6173)
        var before: [RGBImage] = []
        var after: [RGBImage] = []
        var targets: [Int] = []
        for index in 0..<count {
            progress("class edits", index, count)
            let label = test.label(at: index)
            let target = (label + 1 + generator.nextInt(below: classes - 1)) % classes
            let result = try edit(
                try test.image(at: index), mask: mask, mode: .classEdit, label: target,
                seed: seed &+ UInt64(index))
            before.append(result.reconstruction)
            after.append(result.sampling.images[0])
            targets.append(target)
        }
        let old = try Evaluation.classify(before, by: classifier, cancellation: cancellation)
        let new = try Evaluation.classify(after, by: classifier, cancellation: cancellation)
        func probability(_ pictures: ClassifiedPictures, _ index: Int) -> Float {
            let row = pictures.probabilities[index]
            return row[row.startIndex + targets[index]]
        }
        let raised = targets.indices.filter { probability(new, $0) > probability(old, $0) }.count
        let mean = targets.indices.reduce(0.0) { $0 + Double(probability(new, $1)) }
        return [
            .init(
                name: "editing.class_raised", value: 100 * Double(raised) / Double(max(1, count)),
                unit: "%",
                note: "of \(count) class edits in a box of 5/7 of the side to another class: the "
                    + "target's probability rose"),
            .init(
                name: "editing.class_probability", value: mean / Double(max(1, count)),
                note: "mean probability of the target class after the edit"),
            .init(
                name: "editing.class_reached", value: 100 * new.agreement(with: targets),
                unit: "%"),
        ]
    }

    // MARK: Seams

    /// FD-cls of the band along the mask's edge, mask tower against next-scale tower alone.
    private func seams() throws -> [ModelCard.Metric] {
        let count = min(Self.seamCases, test.count, sampleCount)
        var bands: [SamplingVariant: [RGBImage]] = [:]
        var originals: [RGBImage] = []
        var generator = RandomGenerator(seed: seed, stream: 0x7365_616D)
        for index in 0..<count {
            progress("seams", index, count)
            let source = try test.image(at: index)
            let mask = box(0.5, &generator)
            let band = Self.band(of: mask, reach: max(1, side / 9))
            originals.append(Self.only(band, of: source))
            for variant in [SamplingVariant.hmar, .hmarNextScale] {
                let result = try edit(
                    source, mask: mask, mode: .classEdit, label: test.label(at: index),
                    seed: seed &+ UInt64(index), variant: variant)
                bands[variant, default: []].append(
                    Self.only(band, of: result.sampling.images[0]))
            }
        }
        let real = FeatureStatistics(
            try Evaluation.classify(originals, by: classifier, cancellation: cancellation).features)
        return try [
            ("editing.seam_fd_cls.hmar", SamplingVariant.hmar),
            ("editing.seam_fd_cls.hmar-next-scale", .hmarNextScale),
        ].map { name, variant in
            let found = try Evaluation.classify(
                bands[variant] ?? [], by: classifier, cancellation: cancellation)
            return .init(
                name: name,
                value: FrechetDistance.between(real, FeatureStatistics(found.features)),
                note: "\(count) edits to the own class; only the band along the mask's edge is "
                    + "shown to the classifier")
        }
    }

    /// Pixels within `reach` of a pixel on the other side of the mask's edge.
    static func band(of mask: PixelMask, reach: Int) -> [Bool] {
        let (width, height) = (mask.width, mask.height)
        return (0..<(width * height)).map { pixel in
            let (row, column) = (pixel / width, pixel % width)
            for y in max(0, row - reach)...min(height - 1, row + reach) {
                for x in max(0, column - reach)...min(width - 1, column + reach)
                where mask[x, y] != mask[column, row] {
                    return true
                }
            }
            return false
        }
    }

    /// A picture that is black outside of some pixels.
    private static func only(_ shown: [Bool], of picture: RGBImage) -> RGBImage {
        var result = picture
        for pixel in shown.indices where !shown[pixel] {
            for i in (3 * pixel)..<(3 * pixel + 3) { result.pixels[i] = 0 }
        }
        return result
    }
}
