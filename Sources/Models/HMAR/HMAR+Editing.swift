// Zero-shot editing: repaint some tokens, keep the others.
// SPDX-License-Identifier: Apache-2.0
import Core

extension HMARSession {
    public func edit(_ request: EditRequest, control: SamplingControl) throws -> EditResult {
        let sampling = request.sampling
        let filters = try check(sampling)
        try check(request)
        let sides = geometry.patchNums
        let batch = sampling.count
        let image = Tensor.images([request.source])
        let feature = tokenizer.feature(image)
        let encoding = tokenizer.quantizer.encode(feature)
        let source = encoding.tokens.map { $0.int32s() }
        let label = label(of: request)
        let editable =
            request.mode == .repaint
            ? try leastConfidentCells(request, encoding, label: label, control: control)
            : editableCells(request)
        guard editable.contains(where: { $0.contains(true) }) else {
            throw SamplingError.nothingToRepaint
        }
        let plan = EditPlan(
            source: source.map { codes in
                (0..<batch).flatMap { _ in codes }
            },
            feature: request.anchor == .residual
                ? feature.expanded(to: [batch] + feature.shape.dropFirst()) : nil,
            editable: editable, maskSteps: request.maskSteps, anchor: request.anchor)
        let refines = sampling.variant == .hmar
        let rows = editable.enumerated().map { scale, cells -> [Int] in
            let open = cells.filter { $0 }.count
            guard open > 0 else { return [] }
            return refines ? plan.row(scale: scale, editableCount: open) : [open]
        }
        let observer = SessionObserver(
            control: control, tokenizer: tokenizer, rows: sides.map { [$0 * $0] },
            refines: refines, editRows: rows)
        var generation = ScaleGeneration(
            plan: .init(
                batch: batch, rows: sides.map { [$0 * $0] }, topK: filters.topK,
                topP: filters.topP, refines: refines, edit: plan),
            predictor: try predictor(
                sampling, labels: [Int32](repeating: label, count: batch), refines: refines),
            quantizer: tokenizer.quantizer,
            sampler: RandomSampler(seed: sampling.seed, batch: batch), observer: observer)
        var result = try result(of: generation.run(), observer: observer, batch: batch)
        if request.pasteBack, let cells = editable.last, let side = sides.last {
            let paste = PasteBack(cells: cells, side: side, imageSize: geometry.imageSize)
            result.images = result.images.map { paste.composite($0, over: request.source) }
        }
        let last = encoding.accumulated[encoding.accumulated.count - 1]
        return EditResult(
            sampling: result, reconstruction: tokenizer.decode(last).pictures()[0],
            sourceTokens: TokenMaps(patchNums: sides, scales: source), editable: editable)
    }

    /// Checks what a person may get wrong about an edit.
    private func check(_ request: EditRequest) throws {
        try checkSize("picture", width: request.source.width, height: request.source.height)
        if request.mode.usesMask {
            try checkSize("mask", width: request.mask.width, height: request.mask.height)
        }
        guard request.sampling.variant != .var else {
            throw SamplingError.variantNotAvailable(
                variant: "editing with var",
                available: variants.filter { $0 != .var }.map(\.rawValue))
        }
        let count = geometry.patchNums.count
        guard (0...count).contains(request.keepScales) else {
            throw SamplingError.outOfRange(
                name: "kept scales", found: "\(request.keepScales)", allowed: "0 to \(count)")
        }
        guard (0...geometry.imageSize).contains(request.dilate) else {
            throw SamplingError.outOfRange(
                name: "dilate", found: "\(request.dilate)", allowed: "0 to \(geometry.imageSize)")
        }
        guard (0...1).contains(request.share) else {
            throw SamplingError.outOfRange(
                name: "the share to repaint", found: "\(request.share)", allowed: "0 to 1")
        }
        guard request.maskSteps.count == count, request.maskSteps.allSatisfy({ $0 >= 0 }) else {
            throw SamplingError.outOfRange(
                name: "mask steps", found: "\(request.maskSteps)",
                allowed: "\(count) numbers of 0 or more, one per scale")
        }
        if request.mode == .classEdit, request.sampling.classLabel == nil {
            throw SamplingError.outOfRange(
                name: "the class of a class edit", found: "none",
                allowed: "a class of the model")
        }
    }

    /// Which cells an edit may change, per scale.
    private func editableCells(_ request: EditRequest) -> [[Bool]] {
        let size = geometry.imageSize
        let values: [Float] =
            request.mode == .vary
            ? [Float](repeating: 1, count: size * size)
            : request.mask.repaint.map { $0 ? 1 : 0 }
        return EditPlan.editableCells(
            mask: Tensor(values, shape: [size, size]), patchNums: geometry.patchNums,
            keepScales: request.keepScales, dilate: request.dilate)
    }

    /// The share of every map's tokens that the next-scale tower, given the coarser maps of the
    /// source, holds least likely; ties go to the lower index, and a map gives at least one.
    ///
    /// Source: ours, after the spec of HMAR's editing: repaint the lowest-confidence tokens.
    private func leastConfidentCells(
        _ request: EditRequest, _ encoding: Quantizer.Encoding, label: Int32,
        control: SamplingControl
    ) throws -> [[Bool]] {
        var sampling = request.sampling
        sampling.count = 1
        let predictor = try predictor(sampling, labels: [label], refines: false)
        return try geometry.patchNums.enumerated().map { scale, side in
            var cells = [Bool](repeating: false, count: side * side)
            guard scale > 0, scale >= request.keepScales, request.share > 0 else { return cells }
            let context = Quantizer.rows(
                tokenizer.quantizer.down(encoding.accumulated[scale - 1], scale: scale)
            ).contiguous()
            let logits = try predictor.nextScaleLogits(scale: scale, context: context) {
                try control.checkpoint()
            }
            let codes = encoding.tokens[scale].int32s()
            let likely = logSoftmax(logits).floats()
            let confidence = cells.indices.map { likely[$0 * geometry.vocabulary + Int(codes[$0])] }
            let order = cells.indices.sorted {
                (confidence[$0], $0) < (confidence[$1], $1)
            }
            let count = max(1, Int((request.share * Double(cells.count)).rounded()))
            for i in order.prefix(count) { cells[i] = true }
            return cells
        }
    }

    /// Inpainting and outpainting have no class, whatever the request says.
    private func label(of request: EditRequest) -> Int32 {
        let none = Int32(geometry.classes.count)
        switch request.mode {
        case .inpaint, .outpaint: return none
        case .classEdit, .vary, .repaint:
            return request.sampling.classLabel.map { Int32($0) } ?? none
        }
    }
}

/// Composites a source's pixels outside the repainted cells, with a feathered edge.
///
/// Source: MaskGIT's editing demonstration (arXiv 2202.04200): the mask of the token grid, scaled
/// up bilinearly and blurred with a Gaussian of S/16 − 1 pixels.
struct PasteBack {
    /// Share of the edit in every pixel, S·S values in 0…1.
    let alpha: [Float]
    private let size: Int

    /// - Parameters:
    ///   - cells: side·side flags of the finest map, true = repainted.
    ///   - imageSize: S.
    init(cells: [Bool], side: Int, imageSize: Int) {
        size = imageSize
        let grid = cells.map { $0 ? Float(1) : 0 }
        let ratio = Float(side) / Float(imageSize)
        let taps = (0..<imageSize).map { i -> (Int, Int, Float) in
            let place = max(0, (Float(i) + 0.5) * ratio - 0.5)
            let low = min(Int(place), side - 1)
            return (low, min(low + 1, side - 1), place - Float(low))
        }
        var values = [Float](repeating: 0, count: imageSize * imageSize)
        for y in 0..<imageSize {
            let (top, bottom, v) = taps[y]
            for x in 0..<imageSize {
                let (left, right, u) = taps[x]
                let above = grid[top * side + left] * (1 - u) + grid[top * side + right] * u
                let below = grid[bottom * side + left] * (1 - u) + grid[bottom * side + right] * u
                values[y * imageSize + x] = above * (1 - v) + below * v
            }
        }
        alpha = Self.blurred(values, size: imageSize, deviation: Float(imageSize) / 16 - 1)
    }

    /// The edit where alpha is 1, the source where it is 0.
    func composite(_ edited: RGBImage, over source: RGBImage) -> RGBImage {
        var result = edited
        for pixel in alpha.indices {
            for i in (3 * pixel)..<(3 * pixel + 3) {
                let mixed =
                    alpha[pixel] * Float(edited.pixels[i])
                    + (1 - alpha[pixel]) * Float(source.pixels[i])
                result.pixels[i] = UInt8(max(0, min(255, mixed.rounded())))
            }
        }
        return result
    }

    private static func blurred(_ values: [Float], size: Int, deviation: Float) -> [Float] {
        guard deviation > 0.1 else { return values }
        let radius = Int((3 * deviation).rounded(.up))
        let weights = (-radius...radius).map {
            exponential(-Float($0 * $0) / (2 * deviation * deviation))
        }
        let total = weights.reduce(0, +)
        func pass(_ input: [Float], step: Int, line: Int) -> [Float] {
            var output = input
            for a in 0..<size {
                for b in 0..<size {
                    var sum: Float = 0
                    for offset in -radius...radius {
                        let c = max(0, min(size - 1, b + offset))
                        sum += weights[offset + radius] * input[a * line + c * step]
                    }
                    output[a * line + b * step] = sum / total
                }
            }
            return output
        }
        return pass(pass(values, step: 1, line: size), step: size, line: 1)
    }
}
