package stack

// Limits of the platform that a table can break. Each is quoted from the page
// it is linked to, which is also what an error message names.
const (
	queueLimits    = "https://developers.cloudflare.com/queues/platform/limits/"
	queueConsumers = "https://developers.cloudflare.com/queues/configuration/configure-queues/"
	workerLimits   = "https://developers.cloudflare.com/workers/platform/limits/"
	vectorLimits   = "https://developers.cloudflare.com/vectorize/platform/limits/"
	flowLimits     = "https://developers.cloudflare.com/workflows/reference/limits/"
	gatewayLimits  = "https://developers.cloudflare.com/ai-gateway/reference/limits/"
	bucketNames    = "https://developers.cloudflare.com/r2/buckets/create-buckets/"

	maxBatchSize     = 100
	maxWaitSeconds   = 60
	maxRetries       = 100
	maxDelaySeconds  = 86_400
	maxConcurrency   = 250
	maxQueueName     = 63
	minKeepSeconds   = 60
	maxKeepSeconds   = 1_209_600 // on the paid plan; the free one keeps messages for 24 hours
	maxMemoryMiB     = 128
	maxCPUMillis     = 300_000
	maxModuleMiB     = 64
	maxVarBytes      = 5_120
	maxDimensions    = 1_536
	maxIndexName     = 64
	maxMetadataIndex = 10
	maxWorkflowName  = 64
	maxBucketName    = 63
	minBucketName    = 3
	maxCrons         = 250
	maxGatewayName   = 64
	maxSpendRules    = 20
)
