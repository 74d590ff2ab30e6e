// Sampling on CUDA: see SamplingKernels. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Threads of a block that draws.
    private static let drawThreads = 512
    /// Values that a thread of it holds at most, by kernel.
    private static let drawWidths = [1, 8, 48]

    /// Codes whose logits and weights fit into a block's shared memory and registers.
    private var mostCodes: Int {
        min((sharedMemoryPerBlock - 8192) / 9, Self.drawThreads * (Self.drawWidths.last ?? 0))
    }

    public func drawCodes(
        _ logits: Tensor, uniforms: Tensor, chosen: Tensor?, topK: Int, topP: Double, call: Int,
        into target: DrawTarget
    ) {
        draw(
            logits, uniforms: uniforms, chosen: chosen, topK: topK, topP: topP, call: call,
            into: target, summary: nil)
    }

    public func summarizeRows(_ logits: Tensor, chosen: Tensor?, into target: SummaryTarget) {
        draw(
            logits, uniforms: nil, chosen: chosen, topK: 0, topP: 0, call: 0, into: nil,
            summary: target)
    }

    public func drawCodes(
        _ logits: Tensor, uniforms: Tensor, chosen: Tensor?, topK: Int, topP: Double, call: Int,
        into target: DrawTarget, summary: SummaryTarget
    ) {
        draw(
            logits, uniforms: uniforms, chosen: chosen, topK: topK, topP: topP, call: call,
            into: target, summary: summary)
    }

    private func draw(
        _ logits: Tensor, uniforms: Tensor?, chosen: Tensor?, topK: Int, topP: Double, call: Int,
        into target: DrawTarget?, summary: SummaryTarget?
    ) {
        let (logits, width) = (logits.contiguous(), logits.shape[1])
        let fitting = Self.drawWidths.first { $0 * Self.drawThreads >= width }
        guard width <= mostCodes, let fitting else {
            return fail(
                .failed(
                    operation: "sample", reason: "\(width) codes are more than \(mostCodes)"))
        }
        let padded = width + width / 32 + 1
        let rows = target?.codes.count ?? 0
        launch(
            kernel("draw_codes_\(fitting)", in: .sampling),
            grid: (rows + (summary?.entropy.count ?? 0), 1, 1), block: (Self.drawThreads, 1, 1),
            shared: 8 * padded, isEarly: true, .tensor(logits), .optional(uniforms),
            .optional(chosen),
            .optional(target?.codes), .optional(target?.confidence), .optional(target?.failure),
            .int(rows), .int(call), .int(width), .int(topK),
            .float(topP > 0 ? Float(1 - topP) : -1), .optional(summary?.entropy),
            .optional(summary?.codes), .optional(summary?.probabilities),
            .int(min(summary?.codes.shape[1] ?? 0, width)))
    }

    public func guided(_ logits: Tensor, by t: Double) -> Tensor {
        let logits = vectorAligned(logits.contiguous())
        let shape = [logits.shape[0] / 2] + logits.shape.dropFirst()
        let result = Tensor.empty(shape, device: self)
        guard result.count % 4 == 0 else {
            let half = shape[0]
            let a = logits.narrowed(axis: 0, start: 0, length: half)
            let b = logits.narrowed(axis: 0, start: half, length: half)
            return a * Float(1 + t) - b * Float(t)
        }
        launch(
            kernel("guide_logits", in: .sampling), grid: ((result.count / 4 + 255) / 256, 1, 1),
            block: (256, 1, 1), isEarly: true, .tensor(logits), .tensor(result),
            .long(result.count),
            .float(Float(1 + t)), .float(Float(t)))
        return result
    }

    public func convolvedCodes(
        _ tokens: Tensor, _ codes: CodeMap, into map: Tensor, adds: Bool
    ) -> Bool {
        let (batch, channels, size) = (map.shape[0], map.shape[1], map.shape[2])
        let side = Int(Double(tokens.shape[1]).squareRoot().rounded())
        let shared = 12 * channels * (size + 2)
        guard Self.usesPassKernels, shared <= 48 << 10, map.shape[3] == size, map.isContiguous,
            side * side == tokens.shape[1]
        else { return false }
        written(map)
        let table =
            side == size
            ? nil
            : table(.init(from: side, to: size, method: codes.method, isAdjoint: false))
        launch(
            kernel("convolved_codes", in: .sampling), grid: (size, batch, 1), block: (512, 1, 1),
            shared: shared, isEarly: true, .tensor(tokens.contiguous()),
            .tensor(codes.codebook.contiguous()),
            .tensor(codes.weight.contiguous()), .tensor(codes.bias.contiguous()), .tensor(map),
            .int(side), .int(size), .int(channels), .optional(table?.first),
            .optional(table?.count), .optional(table?.weights), .int(table?.width ?? 0),
            .int(adds ? 1 : 0))
        return true
    }

    public func maskLeastConfident(
        _ confidence: Tensor, positions: Tensor, length: Int?, number: Int, flags: Tensor
    ) {
        let (batch, count) = (confidence.shape[0], confidence.shape[1])
        let candidates = length ?? count
        launch(
            kernel("mask_least_confident", in: .sampling), grid: (batch, 1, 1),
            block: (min(1024, (candidates + 31) / 32 * 32), 1, 1),
            shared: 4 * (2 * candidates + number), isEarly: true, .tensor(confidence),
            .tensor(positions),
            .tensor(flags), .int(count), .int(candidates), .int(number),
            .int(length == nil ? 1 : 0))
    }

    public func pixels(_ images: Tensor) -> [UInt8] {
        let images = images.contiguous()
        let (plane, count) = (images.shape[2] * images.shape[3], images.count / 3)
        let bytes = Tensor.empty([3 * count], dtype: .uint8, device: self)
        launch(
            kernel("pixels_of_planes", in: .sampling), grid: ((count + 255) / 256, 1, 1),
            block: (256, 1, 1), .tensor(images), .tensor(bytes), .long(count), .long(plane))
        return [UInt8](unsafeUninitializedCapacity: 3 * count) { buffer, filled in
            download(bytes, into: UnsafeMutableRawBufferPointer(buffer))
            filled = 3 * count
        }
    }
}
