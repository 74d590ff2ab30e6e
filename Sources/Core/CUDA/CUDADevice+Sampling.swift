// Sampling on CUDA: see SamplingKernels. SPDX-License-Identifier: Apache-2.0

extension CUDADevice {
    /// Codes whose logits and weights fit into a block's shared memory.
    private var mostCodes: Int { (sharedMemoryPerBlock - 8192) / 9 }

    public func drawCodes(
        _ logits: Tensor, uniforms: Tensor, chosen: Tensor?, topK: Int, topP: Double, call: Int,
        into target: DrawTarget
    ) {
        let (logits, width) = (logits.contiguous(), logits.shape[1])
        guard width <= mostCodes else {
            return fail(
                .failed(
                    operation: "sample", reason: "\(width) codes are more than \(mostCodes)"))
        }
        let padded = width + width / 32 + 1
        launch(
            kernel("draw_codes", in: .sampling), grid: (target.codes.count, 1, 1),
            block: (256, 1, 1), shared: 8 * padded, .tensor(logits), .tensor(uniforms),
            .optional(chosen), .tensor(target.codes), .tensor(target.confidence),
            .tensor(target.failure), .int(call), .int(width), .int(topK),
            .float(topP > 0 ? Float(1 - topP) : -1))
    }

    public func summarizeRows(_ logits: Tensor, chosen: Tensor?, into target: SummaryTarget) {
        launch(
            kernel("summarize_rows", in: .sampling), grid: (target.entropy.count, 1, 1),
            block: (256, 1, 1), .tensor(logits.contiguous()), .optional(chosen),
            .tensor(target.entropy), .tensor(target.codes), .tensor(target.probabilities),
            .int(logits.shape[1]), .int(min(target.codes.shape[1], logits.shape[1])))
    }

    public func maskLeastConfident(
        _ confidence: Tensor, positions: Tensor, length: Int?, number: Int, flags: Tensor
    ) {
        let (batch, count) = (confidence.shape[0], confidence.shape[1])
        let candidates = length ?? count
        launch(
            kernel("mask_least_confident", in: .sampling), grid: (batch, 1, 1),
            block: (min(1024, (candidates + 31) / 32 * 32), 1, 1),
            shared: 4 * (2 * candidates + number), .tensor(confidence), .tensor(positions),
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
