// The workloads that `bench peer` knows. SPDX-License-Identifier: Apache-2.0
import Core

/// Finds the workload of a request and checks its sizes.
enum PeerCatalogue {
    /// - Throws: `InputError` for a name or size that it does not know; errors of files.
    static func workload(for request: PeerRequest) throws -> any PeerWorkload {
        let isBackward = request.backward ?? false
        switch request.op {
        case "conv2d":
            let s = try sizes(request, "[batch, in, out, side, kernel]", count: 5)
            return PeerOperator.convolution(
                batch: s[0], input: s[1], output: s[2], side: s[3], kernel: s[4],
                isBackward: isBackward)
        case "linear":
            let s = try sizes(request, "[rows, in, out]", count: 3)
            return PeerOperator.product(rows: s[0], input: s[1], output: s[2])
        case "attention":
            let s = try sizes(request, "[batch, heads, tokens, width]", count: 4)
            if let blocks = request.blocks,
                blocks.contains(where: { $0 < 1 }) || blocks.reduce(0, +) != s[2]
            {
                throw InputError("The blocks \(blocks) must be positive and add up to \(s[2]).")
            }
            return PeerOperator.attention(
                shape: s, mask: request.blocks.map { .blockDiagonal($0) } ?? .full,
                isBackward: isBackward)
        case "group_norm_silu":
            let s = try sizes(request, "[batch, channels, side]", count: 3)
            guard s[1] % 32 == 0 else {
                throw InputError("\(s[1]) channels have no 32 groups; give a multiple of 32.")
            }
            return PeerOperator.groupNorm(
                batch: s[0], channels: s[1], side: s[2], isBackward: isBackward)
        case "layer_norm":
            return PeerOperator.layerNorm(
                shape: try sizes(request, "[batch, tokens, width]", count: 3),
                isBackward: isBackward)
        case "adamw":
            return PeerOperator.adamW(count: try sizes(request, "[parameters]", count: 1)[0])
        case "training_step":
            return try PeerTrainingStep(batch: try sizes(request, "[batch]", count: 1)[0])
        case "symmetry_step":
            return try PeerSymmetryStep(batch: try sizes(request, "[batch]", count: 1)[0])
        case "hmar_sample":
            return try PeerSample(request)
        default:
            throw InputError(
                "\(request.op) is not known; give conv2d, linear, attention, group_norm_silu, "
                    + "layer_norm, adamw, training_step, symmetry_step or hmar_sample.")
        }
    }

    private static func sizes(
        _ request: PeerRequest, _ form: String, count: Int
    ) throws -> [Int] {
        guard let shape = request.shape, shape.count == count,
            shape.allSatisfy({ (1...1 << 30).contains($0) }),
            shape.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) <= 1 << 40
        else {
            throw InputError("\(request.op) takes a shape of the form \(form), all 1 or more.")
        }
        return shape
    }
}
